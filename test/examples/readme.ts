// Owns reading an example's README as a script: fenced `sh` blocks are commands, a fenced `output` block behind one is
// what it prints.

export interface ExampleStep {
  /** Line of the README, 1-based. */
  readonly line: number;
  readonly script: string;
  /** Lines that the output must hold, in order; undefined when nothing is said about it. */
  readonly output: readonly string[] | undefined;
  /** `in order`: other lines may stand between; `unordered`; `exact`: nothing else. */
  readonly match: 'in order' | 'unordered' | 'exact';
}

/** The steps of a README in order. */
export function parseReadme(text: string): ExampleStep[] {
  const steps: { -readonly [K in keyof ExampleStep]: ExampleStep[K] }[] = [];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const info = /^```(sh|output)\b *(\w*)$/.exec(lines[index]!);
    if (info === null) continue;
    const end = lines.indexOf('```', index + 1);
    const body = lines.slice(index + 1, end);
    if (info[1] === 'sh')
      steps.push({ line: index + 1, script: body.join('\n'), output: undefined, match: 'in order' });
    else {
      const step = steps.at(-1);
      if (step === undefined) throw new Error(`line ${index + 1}: output without a command before it`);
      step.output = body;
      if (info[2] === 'unordered' || info[2] === 'exact') step.match = info[2];
    }
    index = end;
  }
  return steps;
}

/** True when the output is what the step says. `…` stands for any text, runs of spaces for one space. */
export function isExpected(step: ExampleStep, output: string): boolean {
  if (step.output === undefined) return true;
  const lines = output
    .split('\n')
    .map(squeeze)
    .filter((line) => line !== '');
  const wanted = step.output.map(toPattern);
  if (step.match === 'exact')
    return lines.length === wanted.length && wanted.every((item, at) => item.test(lines[at]!));
  if (step.match === 'unordered') return wanted.every((item) => lines.some((line) => item.test(line)));
  let at = 0;
  for (const line of lines) if (at < wanted.length && wanted[at]!.test(line)) at += 1;
  return at === wanted.length;
}

function squeeze(line: string): string {
  return line.replace(/\s+/g, ' ').trim();
}

function toPattern(line: string): RegExp {
  const parts = squeeze(line).split(/ ?… ?/);
  return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
}
