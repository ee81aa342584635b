// Who is asked, and who may, on every server: the tables of access/.
import { join } from 'node:path';
import { describeExchanges } from '../support/conformance/suite.ts';

describeExchanges(join(import.meta.dirname, 'access'));
