// Owns rendering one bad chart in a process of its own, whose memory the parent limits. Prints the outcome as JSON.
import { helmTemplate } from '../../src/cli/helm.ts';

let [stdout, stderr] = ['', ''];
const code = await helmTemplate(process.argv.slice(2), {
  cwd: process.cwd(),
  stdout: (text) => void (stdout += text),
  stderr: (text) => void (stderr += text),
});
process.stdout.write(JSON.stringify({ code, stdout, stderr }));
