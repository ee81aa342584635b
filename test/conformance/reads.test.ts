// What reading requests are answered, on every server: the tables of reads/.
import { join } from 'node:path';
import { describeExchanges } from '../support/conformance/suite.ts';

describeExchanges(join(import.meta.dirname, 'reads'));
