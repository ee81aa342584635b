// Owns writing a blob of a registry to a file.
import type { FileHandle } from 'node:fs/promises';
import type { Descriptor } from './manifest.ts';
import type { Registry } from './registry.ts';

/** Writes a blob to an empty file; it is there, whole and synced, when this resolves. Throws RegistryError, RemoteError. */
export async function saveBlob(
  registry: Registry,
  descriptor: Descriptor,
  file: FileHandle,
  signal: AbortSignal,
): Promise<void> {
  let at = 0;
  await registry.blob(
    descriptor,
    {
      write: async (chunk) => {
        await file.write(chunk, 0, chunk.length, at);
        at += chunk.length;
      },
      restart: async () => {
        await file.truncate(0);
        at = 0;
      },
    },
    signal,
  );
  await file.sync();
}
