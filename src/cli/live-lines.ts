// Owns the line that `up` prints for each reconcile that did something or failed.

import type { KubeObject } from '../api/meta/object.ts';
import type { SaidEvent } from '../app.ts';

/** Turns events into lines: `10:00:05 Kustomization default/web main@sha1:1a2b3c4d  Deployment/default/web configured  34ms`. */
export function createLiveLines(print: (line: string) => void, timeOfDay: () => string) {
  const changes = new Map<string, string[]>();
  return (object: KubeObject, event: SaidEvent): void => {
    const id = `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`;
    const line = (text: string) => print(`${timeOfDay()} ${id} ${shortRevision(event)} ${text}\n`);
    if (event.type === 'Warning') {
      line(`${event.reason}: ${event.message.split('\n')[0]}`);
      return;
    }
    if (event.reason === 'Progressing') {
      changes.set(id, [...(changes.get(id) ?? []), ...event.message.split('\n')]);
      return;
    }
    if (event.reason !== 'ReconciliationSucceeded') {
      line(event.message.split('\n')[0]!);
      return;
    }
    const done = changes.get(id) ?? [];
    changes.delete(id);
    const took = /finished in (\S+),/.exec(event.message)?.[1] ?? '';
    const what = done.filter((change) => !change.startsWith('Health check'));
    line(`${what.length === 0 ? 'nothing to change' : what.join(', ')}  ${took}`);
  };
}

/** The revision with its hash cut to eight digits. */
function shortRevision(event: SaidEvent): string {
  const revision = Object.entries(event.metadata ?? {}).find(([key]) => key.endsWith('/revision'))?.[1] ?? '';
  return revision.replace(/([0-9a-f]{8})[0-9a-f]{32,}/, '$1');
}
