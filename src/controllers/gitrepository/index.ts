// The GitRepository controller as a value: what it watches, and its steps.
import { finalizer } from '../../api/meta/keys.ts';
import {
  type GitRepository,
  gitRepositoryKind,
  gitRepositoryReasons as reasons,
} from '../../api/source/gitrepository.ts';
import { noMask } from '../../objects/redact.ts';
import { type Controller, keyOf, type Watch } from '../../runtime/controller.ts';
import { act } from './act.ts';
import { conclude } from './conclude.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { GitRepositoryPorts } from './ports.ts';
import type { Decision, Observed, Outcome } from './types.ts';

const kind = { apiVersion: `${gitRepositoryKind.group}/v1`, kind: 'GitRepository' } as const;
const BY_INCLUDE = 'include';

/** A new artifact of an included repository concerns those that include it. */
const onInclude: Watch<GitRepository> = {
  kind,
  trigger: 'included artifact',
  keys: (change, lookup) => {
    const digest = (object: unknown) => (object as GitRepository | undefined)?.status?.artifact?.digest;
    if (change.type === 'update' && digest(change.object) === digest(change.old)) return [];
    return lookup.byIndex(BY_INCLUDE, keyOf(change.object)).map(keyOf);
  },
};

export const gitRepositoryController: Controller<GitRepository, Observed, Decision, Outcome, GitRepositoryPorts> = {
  name: 'gitrepository',
  kind,
  fieldManager: 'source-controller',
  eventSource: 'source-controller',
  finalizer,
  concurrent: 4,
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
    return {
      done: true,
      events: [
        {
          type: 'Normal',
          reason: reasons.garbageCollectionSucceeded,
          message: 'garbage collected artifacts for deleted resource',
        },
      ],
    };
  },
  mask: (key, ports) => ports.masks.get(key) ?? noMask,
  forget: (key, ports) => {
    ports.logins.delete(key);
    ports.masks.delete(key);
  },
};
