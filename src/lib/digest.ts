// Owns the reading of digests as artifacts carry them, `algorithm:hex`.

const ALGORITHMS: readonly string[] = ['sha256', 'sha384', 'sha512'];

/** The algorithm of a digest as `node:crypto` knows it; undefined when it is none that is supported (blake3 is not). */
export function digestAlgorithm(digest: string): string | undefined {
  const algorithm = digest.split(':', 1)[0] as string;
  return ALGORITHMS.includes(algorithm) ? algorithm : undefined;
}
