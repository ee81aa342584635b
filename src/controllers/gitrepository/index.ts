// The GitRepository controller as a value: what it watches, and its steps.
import type { GitRepository } from '../../api/source/gitrepository.ts';
import { noMask } from '../../objects/redact.ts';
import { type Controller, keyOf, type Watch } from '../../runtime/controller.ts';
import { artifactsRemoved } from '../shared/source-artifact.ts';
import { sourceIdentity } from '../shared/source-controller.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { GitRepositoryPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

const identity = sourceIdentity('GitRepository');
const BY_INCLUDE = 'include';

/** A new artifact of an included repository concerns those that include it. */
const onInclude: Watch<GitRepository> = {
  kind: identity.kind,
  trigger: 'included artifact',
  keys: (change, lookup) => {
    const digest = (object: unknown) => (object as GitRepository | undefined)?.status?.artifact?.digest;
    if (change.type === 'update' && digest(change.object) === digest(change.old)) return [];
    return lookup.byIndex(BY_INCLUDE, keyOf(change.object)).map(keyOf);
  },
};

export const gitRepositoryController: Controller<GitRepository, Observed, Decision, Outcome, GitRepositoryPorts> = {
  ...identity,
  indexes: {
    [BY_INCLUDE]: (object) =>
      (object.spec.include ?? []).map((include) => `${object.metadata.namespace ?? ''}/${include.repository.name}`),
  },
  watches: [onInclude],
  observe,
  decide,
  act,
  conclude,
  finalize: async (_object, ports, pass) => {
    await ports.storage.remove(pass.key);
    return artifactsRemoved;
  },
  mask: (key, ports) => ports.masks.get(key) ?? noMask,
  forget: (key, ports) => {
    ports.logins.delete(key);
    ports.masks.delete(key);
  },
};
