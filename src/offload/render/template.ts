// Owns rendering for the command `helm template` in a thread, whose stack is larger than that of the main one: templates
// may include a thousand times inside each other, and the main stack carries six hundred.
import { renderTemplateOutput, type TemplateRequest } from '../../engines/helm/template-command.ts';
import { mergeUserValues, type ValueFlags } from '../../engines/helm/user-values.ts';
import { systemTemplateHost } from '../template-host.ts';

/** A request as it crosses into the thread: Go's types of values do not survive that, so they are read again. */
export interface DeepTemplateInput {
  readonly request: TemplateRequest;
  readonly flags: ValueFlags;
  /** Text of every file that the flags name. */
  readonly texts: ReadonlyMap<string, string>;
}

/** The task. Throws HelmError. */
export function renderDeepTemplate({ request, flags, texts }: DeepTemplateInput): {
  readonly output: string;
  readonly warnings: readonly string[];
} {
  const warnings: string[] = [];
  const values = mergeUserValues(flags, (path) => texts.get(path)!, request.compat);
  const warn = (text: string) => void warnings.push(text);
  return { output: renderTemplateOutput(request, values, { host: systemTemplateHost, warn }), warnings };
}
