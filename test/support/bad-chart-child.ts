// Owns rendering one bad chart in a process of its own, whose memory the parent limits. Prints the outcome as JSON.
import { helmTemplate } from '../../src/cli/helm.ts';
import { reportOutcome } from './bad-input-report.ts';
import { recordIo } from './recorded-io.ts';

const io = recordIo(process.cwd());
const code = await helmTemplate(process.argv.slice(2), io);
reportOutcome({ code, ...io.written() });
