// The command `kustomize build` with everything that it may need: charts by our Helm engine, remote bases over HTTP and
// Git. The command itself is kustomize.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFetchMissing } from '../controllers/shared/fetch-missing.ts';
import { renderChartRequest } from '../engines/helm/kustomize-hook.ts';
import { createRenderCache } from '../engines/helm/render.ts';
import { createWorkerPool } from '../offload/pool.ts';
import type { FetchMissing } from '../offload/render/builds.ts';
import { createBuildPacks } from '../offload/render/kustomization.ts';
import { openFetched } from '../offload/render/source.ts';
import { systemTemplateHost } from '../offload/template-host.ts';
import { createServerMemory } from '../remote/git/memory.ts';
import { openTransport } from '../remote/git/open.ts';
import { createSshConnections } from '../remote/git/ssh-connection.ts';
import { createHttpDoor } from '../remote/http.ts';
import type { CliIo } from './io.ts';
import { kustomizeBuild } from './kustomize.ts';

/** Runs `kustomize build`; doors are opened only when a build misses something. Answers the exit code. */
export async function runKustomizeBuild(args: readonly string[], io: CliIo): Promise<number> {
  const cache = createRenderCache();
  const packs = createBuildPacks();
  const end: (() => Promise<void> | void)[] = [() => packs.close()];
  let fetch: FetchMissing | undefined;
  try {
    return await kustomizeBuild(args, {
      ...io,
      renderChart: (request) => renderChartRequest(request, { host: systemTemplateHost, cache }),
      fetch: async (missing) => {
        fetch ??= openDoors(end);
        return openFetched(await fetch(missing, AbortSignal.timeout(FETCH_MS)), packs.open);
      },
    });
  } finally {
    for (const step of end) await step();
  }
}

const FETCH_MS = 300_000;

function openDoors(end: (() => Promise<void> | void)[]): FetchMissing {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-kustomize-'));
  const [http, workers, ssh, memory] = [
    createHttpDoor(),
    createWorkerPool(),
    createSshConnections(),
    createServerMemory(),
  ];
  end.push(
    () => http.close(),
    () => workers.close(),
    () => ssh.close(),
    () => rmSync(folder, { recursive: true, force: true }),
  );
  const open = (url: string, timeoutMs: number) => openTransport(url, {}, { http, ssh, memory, timeoutMs });
  return createFetchMissing({ http, workers, folder, refuse: false, openTransport: open });
}
