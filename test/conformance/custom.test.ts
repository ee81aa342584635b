// The life of CustomResourceDefinitions and their objects, on every server: the tables of custom/.
import { join } from 'node:path';
import { describeExchanges } from '../support/conformance/suite.ts';

describeExchanges(join(import.meta.dirname, 'custom'));
