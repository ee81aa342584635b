// What writing requests are answered, on every server: the tables of writes/.
import { join } from 'node:path';
import { describeExchanges } from '../support/conformance/suite.ts';

describeExchanges(join(import.meta.dirname, 'writes'));
