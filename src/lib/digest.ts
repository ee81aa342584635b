// Owns the reading of digests as artifacts carry them, `algorithm:hex`.

/** Algorithms under the names that digests and `node:crypto` have for them. OpenSSL has no blake3. */
export const digestAlgorithms = ['sha256', 'sha384', 'sha512'] as const;

export type DigestAlgorithm = (typeof digestAlgorithms)[number];

/** The algorithm of a digest; undefined when it is none that is supported. */
export function digestAlgorithm(digest: string): DigestAlgorithm | undefined {
  const name = digest.split(':', 1)[0];
  return digestAlgorithms.find((algorithm) => algorithm === name);
}
