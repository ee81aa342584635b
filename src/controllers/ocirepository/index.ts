// The OCIRepository controller as a value: what it watches, and its steps.
import type { OCIRepository } from '../../api/source/ocirepository.ts';
import { sourceController } from '../shared/source-controller.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { OciRepositoryPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

export const ociRepositoryController = sourceController<OCIRepository, Observed, Decision, Outcome, OciRepositoryPorts>(
  {
    kind: 'OCIRepository',
    kept: (ports) => [ports.registries],
    observe,
    decide,
    act,
    conclude,
  },
);
