// Signatures beside the worked examples of the S3 API reference («Authenticating Requests: Using the Authorization
// Header»).
import { describe, expect, it } from 'vitest';
import { encodePath, encodeQuery, signedHeaders } from '../../../../src/remote/s3/sign.ts';

const key = { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const now = new Date('2013-05-24T00:00:00Z');
const host = 'https://examplebucket.s3.amazonaws.com';

function signatureOf(path: string, headers: Readonly<Record<string, string>> = {}): string {
  const signed = signedHeaders({ method: 'GET', url: new URL(host + path), region: 'us-east-1', headers, now }, key);
  return signed['authorization']!.replace(/^.*Signature=/, '');
}

describe('signedHeaders', () => {
  it('signs an object of which a range is wanted', () => {
    expect(signatureOf('/test.txt', { range: 'bytes=0-9' })).toBe(
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });

  it('signs a query without a value', () => {
    expect(signatureOf('/?lifecycle=')).toBe('fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543');
  });

  it('signs a listing', () => {
    expect(signatureOf(`/?${encodeQuery({ prefix: 'J', 'max-keys': '2' })}`)).toBe(
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    );
  });

  it('names key, scope and signed headers', () => {
    const signed = signedHeaders({ method: 'GET', url: new URL(host), region: 'eu-north-7', now }, key);

    expect(signed['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/20130524\/eu-north-7\/s3\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}$/,
    );
    expect(signed['x-amz-date']).toBe('20130524T000000Z');
  });

  it('signs nothing without a key', () => {
    expect(
      signedHeaders({ method: 'GET', url: new URL(host), region: 'us-east-1', now }, undefined),
    ).not.toHaveProperty('authorization');
  });
});

describe('encoding', () => {
  it('leaves unreserved characters and the slashes of a path alone, and nothing else', () => {
    expect(encodePath("/a-b_c.d~e/f g+h(i)*!'é")).toBe('/a-b_c.d~e/f%20g%2Bh%28i%29%2A%21%27%C3%A9');
    expect(encodeQuery({ b: 'x/y', a: 'ü' })).toBe('a=%C3%BC&b=x%2Fy');
  });
});
