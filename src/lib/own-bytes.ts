// Owns giving bytes that are kept for long memory of their own: Node cuts small buffers from shared ones of 64 KiB, and one
// of them that is kept keeps all of that.

/** What may stand unused around bytes that are kept: a copy costs an allocation, which is about as much. */
const SLACK_BYTES = 512;

/** The same bytes, copied when they lie in a buffer that is larger than they are. */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer.byteLength <= bytes.length + SLACK_BYTES) return bytes;
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}
