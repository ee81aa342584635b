// Owns the build of a Kustomization as the controller runs it: recording what is read, so that a later revision can be
// asked whether it touches the build.
import type { Kustomization } from '../../api/kustomize/kustomization.ts';
import type { FileTree } from '../../lib/filetree.ts';
import { recordReads } from '../../lib/recording-tree.ts';
import { renderKustomization } from '../../render/kustomization.ts';
import { RenderError } from '../../render/render-error.ts';
import type { RenderedSource } from './ports.ts';

/** Builds and records. Remote bases are refused by name: nothing is fetched for them yet. */
export async function renderSource(tree: FileTree, object: Kustomization): Promise<RenderedSource> {
  const recording = recordReads(tree);
  const result = renderKustomization(recording.tree, object);
  if (result.state === 'missing') {
    const names = result.missing.map((missing) => missing.url).join(', ');
    throw new RenderError(
      'BuildFailed',
      `kustomize build failed: remote resources are not supported yet: ${names}`,
      {},
    );
  }
  return { result, record: recording.record };
}
