// What built-in kinds refuse, with field paths and in Kubernetes' words, on every server: the tables of validation/.
import { join } from 'node:path';
import { describeExchanges } from '../support/conformance/suite.ts';

describeExchanges(join(import.meta.dirname, 'validation'));
