// What wrong requests are answered, on every server: the tables of requests/.
import { join } from 'node:path';
import { describeExchanges } from '../support/conformance/suite.ts';

describeExchanges(join(import.meta.dirname, 'requests'));
