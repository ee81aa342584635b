// Owns a process that is nothing but an embedded API server, for tests that kill it: argument, the state directory.
import { startSandbox } from '../../src/sandbox/server.ts';

const [stateDir] = process.argv.slice(2);
if (stateDir === undefined) throw new Error('usage: sandbox-process.ts STATE-DIR');
const sandbox = await startSandbox({ stateDir });
console.log(sandbox.url);
