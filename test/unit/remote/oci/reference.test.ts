import { describe, expect, it } from 'vitest';
import { checkDigest, checkTag, formatReference, parseRepositoryUrl } from '../../../../src/remote/oci/reference.ts';

describe('parseRepositoryUrl', () => {
  it.each([
    ['oci://ghcr.io/org/app', 'ghcr.io', 'org/app'],
    ['oci://localhost/app', 'localhost', 'app'],
    ['oci://127.0.0.1:5000/a/b/c/', '127.0.0.1:5000', 'a/b/c'],
    ['oci://[::1]:5000/app', '[::1]:5000', 'app'],
    ['oci://org/app', 'index.docker.io', 'org/app'],
    ['oci://app', 'index.docker.io', 'library/app'],
    ['oci://host:1/a__b/c-d.e', 'host:1', 'a__b/c-d.e'],
  ])('reads %s', (url, host, path) => {
    expect(parseRepositoryUrl(url)).toEqual({ host, path });
  });

  it.each([
    ['https://ghcr.io/org/app', "URL must be in format 'oci://<domain>/<org>/<repo>'"],
    ['oci://ghcr.io/org/app:v1', "URL must not contain a tag; remove ':v1'"],
    ['oci://ghcr.io/org/app@sha256:0', "URL must not contain a tag; remove '@sha256:0'"],
    ['oci://ghcr.io/Org/app', 'repository can only contain the characters'],
    ['oci://ghcr.io/org/../app', 'repository can only contain the characters'],
    ['oci://ghcr.io/', "no repository after the host in 'oci://ghcr.io/'"],
    ['oci://user:password@ghcr.io/app', 'registries must be valid RFC 3986 URI authorities'],
    ['oci://ghcr.io/a\u0000b', 'repository can only contain the characters'],
  ])('refuses %s', (url, message) => {
    expect(() => parseRepositoryUrl(url)).toThrow(
      expect.objectContaining({ code: 'RegistryUrlInvalid', message: expect.stringContaining(message) }),
    );
  });
});

describe('tags and digests', () => {
  it('are told by their form', () => {
    const digest = `sha256:${'0'.repeat(64)}`;

    expect([checkTag('v1.0.0_x'), checkDigest(digest)]).toEqual(['v1.0.0_x', digest]);
    for (const tag of ['', '.x', '../x', 'a/b', 'a'.repeat(129)]) expect(() => checkTag(tag)).toThrow('tag');
    for (const text of ['', 'sha256:0', `sha512:${'0'.repeat(128)}`]) expect(() => checkDigest(text)).toThrow('digest');
  });

  it('are written as everywhere', () => {
    const name = { host: 'ghcr.io', path: 'app' };

    expect([formatReference(name, 'v1'), formatReference(name, 'sha256:0')]).toEqual([
      'ghcr.io/app:v1',
      'ghcr.io/app@sha256:0',
    ]);
  });
});
