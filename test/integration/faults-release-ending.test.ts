// The process dies amid an upgrade of a HelmRelease that is taken back, amid a rollback or an uninstall; or the API server
// misbehaves. Afterwards nothing is left of what should not be. Deaths on the way forward are faults-release.test.ts.
import { describe } from 'vitest';
import { clusters } from '../support/cluster.ts';
import { deathRule, passingRule } from '../support/fault-points.ts';
import {
  amidObjects,
  passingReleaseFaults,
  pruneDeathPoints,
  rollbackDeathPoints,
  uninstallDeathPoints,
  useReleaseFaultWorld,
} from '../support/fault-release.ts';
import { checkSeeds } from '../support/fault-seeds.ts';
import { paths } from '../support/reconciler.ts';

for (const choice of clusters) {
  describe(`a release on ${choice.name}`, () => {
    const world = useReleaseFaultWorld(choice);

    // Whatever the dead process has made by then must go again.
    describe('when the process dies amid an upgrade that is taken back', () => {
      for (const point of amidObjects) {
        checkSeeds(point.name, async (choices) => {
          const repository = await world.prepare();
          await world.release();
          await world.settled();

          world.inject(deathRule(point, choices));
          await world.commit(repository, 'second');
          await world.replace({ lostDisk: true, meanwhile: () => world.commit(repository, 'first') });

          await world.expectReleased('first');
        });
      }
    });

    describe('when the process dies around a rollback', () => {
      for (const point of rollbackDeathPoints) {
        checkSeeds(point.name, async (choices) => {
          const repository = await world.prepare();
          await world.release({ upgrade: { remediation: { retries: 1 } } });
          await world.settled();

          world.inject(deathRule(point, choices));
          await world.commit(repository, 'second', true);
          await world.replace({
            lostDisk: choices.chance(0.5),
            meanwhile: () => world.commit(repository, choices.chance(0.5) ? 'first' : 'second'),
          });

          await world.expectReleased((await repository.git('log', '-1', '--format=%s')) as 'first' | 'second');
        });
      }
    });

    describe('when the process dies amid an uninstall', () => {
      for (const point of uninstallDeathPoints) {
        checkSeeds(point.name, async (choices) => {
          const repository = await world.prepare();
          await world.release();
          await world.settled();
          await world.commit(repository, 'second');
          await world.expectReleased('second');

          world.inject(deathRule(point, choices));
          await world.cluster.admin.call('DELETE', paths.helmRelease(world.cluster.namespace, 'app'));
          await world.replace({ lostDisk: choices.chance(0.5) });

          await world.expectUninstalled();
        });
      }

      checkSeeds('and amid the upgrade before it', async (choices) => {
        const repository = await world.prepare();
        await world.release();
        await world.settled();

        world.inject(deathRule(choices.pick(pruneDeathPoints), choices));
        await world.commit(repository, 'second');
        await world.replace({
          meanwhile: () => world.cluster.admin.call('DELETE', paths.helmRelease(world.cluster.namespace, 'app')),
        });

        await world.expectUninstalled();
      });
    });

    describe('when the API server answers an upgrade with', () => {
      for (const fault of passingReleaseFaults) {
        checkSeeds(fault.name, async (choices) => {
          const repository = await world.prepare();
          await world.release();
          await world.settled();

          world.inject(passingRule(fault, choices, () => {}));
          await world.commit(repository, 'second');

          await world.expectReleased('second');
        });
      }
    });
  });
}
