// The HelmRepository controller as a value: what it watches, and its steps.
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import { sourceController } from '../shared/source-controller.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { HelmRepositoryPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

export const helmRepositoryController = sourceController<
  HelmRepository,
  Observed,
  Decision,
  Outcome,
  HelmRepositoryPorts
>({
  kind: 'HelmRepository',
  kept: (ports) => [ports.logins, ports.known],
  // A registry has nothing to fetch: HelmCharts read the object, and nobody writes to it.
  isStatic: (object) => object.spec.type === 'oci',
  observe,
  decide,
  act,
  conclude,
});
