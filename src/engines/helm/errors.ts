// Owns the error that every part of the Helm engine throws. Texts are Helm's own, so that people can search for them.
import { CodedError } from '../../lib/errors.ts';

/**
 * Where a render failed.
 * - `ChartInvalid`: the chart cannot be loaded · `ValuesInvalid`: user values cannot be read or merged
 * - `SchemaViolation`: values do not meet a chart's schema · `DependencyMissing`: declared, but not in charts/
 * - `NameInvalid`: release name · `KubeVersionInvalid` · `KubeVersionMismatch`
 * - `TemplateFailed`: parsing or running a template · `ManifestInvalid`: the output of a template is no YAML object
 * - `PostRenderFailed`: a post renderer · `RenderCut`: the render took too long or too much memory and was ended
 */
export type HelmErrorCode =
  | 'ChartInvalid'
  | 'ValuesInvalid'
  | 'SchemaViolation'
  | 'DependencyMissing'
  | 'NameInvalid'
  | 'KubeVersionInvalid'
  | 'KubeVersionMismatch'
  | 'TemplateFailed'
  | 'ManifestInvalid'
  | 'PostRenderFailed'
  | 'RenderCut';

/** A failed load or render; the message is what the helm binary prints after `Error: `. */
export class HelmError extends CodedError<HelmErrorCode, { readonly path?: string }> {}

/** The same error with Helm's words for what was being done in front. */
export function wrapError(code: HelmErrorCode, prefix: string, cause: unknown): HelmError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new HelmError(code, `${prefix}: ${text}`, {}, { cause });
}
