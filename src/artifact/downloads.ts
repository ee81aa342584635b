// Owns the folder where downloads lie until they become artifacts. What a crash left there goes at the next start.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder of one download. */
export interface DownloadFolder {
  readonly path: string;
  /** Removes it and all that is in it. */
  dispose(): Promise<void>;
}

/** Makes folders for downloads. */
export interface Downloads {
  create(): Promise<DownloadFolder>;
}

/** Opens the folder, empty. */
export async function openDownloads(root: string): Promise<Downloads> {
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true, mode: 0o700 });
  return {
    create: async () => {
      const path = await mkdtemp(join(root, 'download-'));
      return { path, dispose: () => rm(path, { recursive: true, force: true }) };
    },
  };
}
