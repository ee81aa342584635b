import { describe, expect, it } from 'vitest';
import { decodeBody } from '../../../../src/sandbox/rest/protobuf.ts';
import { builtinSchema } from '../schema-of.ts';

function varint(value: number): number[] {
  const out: number[] = [];
  let left = value;
  while (left > 0x7f) {
    out.push((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  return [...out, left];
}

function message(number: number, content: readonly number[] | string): number[] {
  const bytes = typeof content === 'string' ? [...Buffer.from(content)] : content;
  return [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes];
}

function scalar(number: number, value: number): number[] {
  return [...varint(number << 3), ...varint(value)];
}

function envelope(kind: string, raw: readonly number[]): Uint8Array {
  const typeMeta = [...message(1, 'v1'), ...message(2, kind)];
  return Uint8Array.from([0x6b, 0x38, 0x73, 0, ...message(1, typeMeta), ...message(2, raw)]);
}

const find = (_apiVersion: string, kind: string) =>
  kind === 'Service' || kind === 'Secret' ? builtinSchema(`/v1/${kind}`) : undefined;

describe('protobuf bodies', () => {
  it('become the object that their JSON would be', () => {
    const metadata = [...message(1, 's'), ...message(11, [...message(1, 'app'), ...message(2, 'x')])];
    const port = [...message(1, 'http'), ...scalar(3, 80), ...message(4, [...scalar(1, 1), ...message(3, 'web')])];
    const spec = [
      ...message(1, port),
      ...message(2, [...message(1, 'a'), ...message(2, 'b')]),
      ...message(4, 'NodePort'),
    ];

    expect(decodeBody(envelope('Service', [...message(1, metadata), ...message(2, spec)]), 'Service', find)).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's', labels: { app: 'x' } },
      spec: { ports: [{ name: 'http', port: 80, targetPort: 'web' }], selector: { a: 'b' }, type: 'NodePort' },
    });
  });

  it('carry bytes as base64', () => {
    const data = message(2, [...message(1, 'k'), ...message(2, [0, 255])]);

    expect(decodeBody(envelope('Secret', data), 'Secret', find)).toMatchObject({ data: { k: 'AP8=' } });
  });

  it.each([
    { name: 'that end early', bytes: envelope('Service', [0x0a, 0x50]), want: 'unexpected EOF' },
    { name: 'of an unknown kind', bytes: envelope('Nope', []), want: 'no kind "Nope" is registered for version "v1"' },
    {
      name: 'with an endless number',
      bytes: Uint8Array.from([0x6b, 0x38, 0x73, 0, ...Array.from({ length: 20 }, () => 0xff)]),
      want: 'integer overflow',
    },
  ])('$name are refused', ({ bytes, want }) => {
    expect(() => decodeBody(bytes, 'Service', find)).toThrow(want);
  });
});
