import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../../src/remote/oci/challenge.ts';

describe('parseChallenges', () => {
  it.each([
    ['Basic realm="test"', [['basic', { realm: 'test' }]]],
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"',
      [
        [
          'bearer',
          { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull' },
        ],
      ],
    ],
    [
      'Bearer realm=plain , Basic realm="a \\"b\\", c"',
      [
        ['bearer', { realm: 'plain' }],
        ['basic', { realm: 'a "b", c' }],
      ],
    ],
    ['Negotiate', [['negotiate', {}]]],
    ['', []],
    ['"', []],
  ])('reads %s', (header, wanted) => {
    const read = parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

    expect(read).toEqual(wanted);
  });

  it('reads a long header in time that grows with it', () => {
    expect(parseChallenges(`Bearer ${'a="'.repeat(100_000)}`).length).toBeLessThan(10);
  });
});
