// `npm run check [-- path]`: types, lint, unused code, unit and house tests. With a path, only what concerns it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const bin = (name: string) => join(root, 'node_modules/.bin', name);
const withoutTests = process.argv.includes('--no-tests');
const scope = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));

interface Step {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
}

function steps(): Step[] {
  const types = { name: 'types', command: bin('tsc'), arguments: ['--noEmit', '-p', root] };
  if (scope.length === 0) {
    const steps: Step[] = [
      types,
      { name: 'lint', command: bin('biome'), arguments: ['check', '--error-on-warnings', '.'] },
      { name: 'unused code', command: bin('knip'), arguments: [] },
    ];
    const tests = {
      name: 'tests',
      command: bin('vitest'),
      arguments: ['run', '--project', 'unit', '--project', 'house'],
    };
    return withoutTests ? steps : [...steps, tests];
  }
  const unit = scope.map((path) => path.replace(/^src\//, 'test/unit/')).filter((path) => existsSync(join(root, path)));
  const tests = {
    name: 'tests',
    command: bin('vitest'),
    arguments: ['run', '--project', 'unit', '--project', 'house', ...unit, 'test/house'],
  };
  return [types, { name: 'lint', command: bin('biome'), arguments: ['check', '--error-on-warnings', ...scope] }, tests];
}

for (const step of steps()) {
  const { status } = spawnSync(step.command, step.arguments, { cwd: root, stdio: 'inherit' });
  if (status === 0) continue;
  console.error(`check failed: ${step.name}`);
  process.exit(1);
}
