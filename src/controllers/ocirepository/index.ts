// The OCIRepository controller as a value: what it watches, and its steps.
import { finalizer } from '../../api/meta/keys.ts';
import type { OCIRepository } from '../../api/source/ocirepository.ts';
import { sourceGroup } from '../../api/source/source-schema.ts';
import type { Controller } from '../../runtime/controller.ts';
import { removeArtifacts } from '../shared/source-artifact.ts';
import { maskOf } from '../shared/source-login.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { OciRepositoryPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

export const ociRepositoryController: Controller<OCIRepository, Observed, Decision, Outcome, OciRepositoryPorts> = {
  name: 'ocirepository',
  kind: { apiVersion: `${sourceGroup}/v1`, kind: 'OCIRepository' },
  fieldManager: 'source-controller',
  eventSource: 'source-controller',
  finalizer,
  concurrent: 4,
  observe,
  decide,
  act,
  conclude,
  finalize: (_object, ports, pass) => removeArtifacts('ocirepository', pass.key, ports),
  mask: maskOf,
  forget: (key, ports) => {
    ports.secrets.delete(key);
    ports.registries.delete(key);
  },
};
