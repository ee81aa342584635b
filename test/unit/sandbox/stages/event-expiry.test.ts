import { expect, it } from 'vitest';
import type { KubeObject } from '../../../../src/sandbox/object.ts';
import { RESOURCES } from '../../../../src/sandbox/stages/types.ts';
import { createWorld, type World } from '../../../support/stages.ts';

function record(world: World, name: string): void {
  const time = new Date(world.clock.now()).toISOString().replace(/\.\d+/, '');
  world.store.create(RESOURCES.events, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'default' },
    involvedObject: { kind: 'ConfigMap', namespace: 'default', name: 'subject' },
    lastTimestamp: time,
  } as KubeObject);
}

it('forgets events an hour after they were last seen', async () => {
  const world = await createWorld();
  record(world, 'old');
  await world.settle();
  for (let minute = 0; minute < 30; minute += 5) await world.pass(300);
  record(world, 'new');
  await world.settle();

  for (let minute = 0; minute < 40; minute += 5) await world.pass(300);

  expect(world.list(RESOURCES.events).map(({ metadata }) => metadata.name)).toEqual(['new']);
});
