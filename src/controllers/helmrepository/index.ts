// The HelmRepository controller as a value: what it watches, and its steps.
import { finalizer } from '../../api/meta/keys.ts';
import type { HelmRepository } from '../../api/source/helmrepository.ts';
import { sourceGroup } from '../../api/source/source-schema.ts';
import type { Controller } from '../../runtime/controller.ts';
import { removeArtifacts } from '../shared/source-artifact.ts';
import { maskOf } from '../shared/source-login.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { HelmRepositoryPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

export const helmRepositoryController: Controller<HelmRepository, Observed, Decision, Outcome, HelmRepositoryPorts> = {
  name: 'helmrepository',
  kind: { apiVersion: `${sourceGroup}/v1`, kind: 'HelmRepository' },
  fieldManager: 'source-controller',
  eventSource: 'source-controller',
  finalizer,
  concurrent: 4,
  // A registry has nothing to fetch: HelmCharts read the object, and nobody writes to it.
  isStatic: (object) => object.spec.type === 'oci',
  observe,
  decide,
  act,
  conclude,
  finalize: (_object, ports, pass) => removeArtifacts('helmrepository', pass.key, ports),
  mask: maskOf,
  forget: (key, ports) => {
    ports.secrets.delete(key);
    ports.logins.delete(key);
    ports.known.delete(key);
  },
};
