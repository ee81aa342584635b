// Owns what a command wrote, for tests that run it in this process.

/** The streams of a command, and what came out of them; bytes are read as UTF-8. */
export interface RecordedIo {
  readonly cwd: string;
  readonly stdout: (text: string | Uint8Array) => void;
  readonly stderr: (text: string | Uint8Array) => void;
  written(): { readonly stdout: string; readonly stderr: string };
}

/** Streams that keep all that is written to them. */
export function recordIo(cwd: string): RecordedIo {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const text = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks).toString('utf8');
  return {
    cwd,
    stdout: (chunk) => void out.push(Buffer.from(chunk)),
    stderr: (chunk) => void err.push(Buffer.from(chunk)),
    written: () => ({ stdout: text(out), stderr: text(err) }),
  };
}
