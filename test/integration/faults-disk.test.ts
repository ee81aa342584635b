// The disk is full or read-only: the last good state is kept and told, and all goes on when there is room again.
import { describe, expect } from 'vitest';
import { clusters } from '../support/cluster.ts';
import { checkSeeds } from '../support/fault-seeds.ts';
import { useFaultWorld } from '../support/fault-world.ts';
import { condition, conditionStatus, type Live, paths } from '../support/reconciler.ts';
import { noSmallDisk, useSmallDisk } from '../support/small-disk.ts';

const DISK_BYTES = 1 << 20;

for (const choice of clusters) {
  describe.skipIf(noSmallDisk !== undefined)(
    `the disk on ${choice.name}${noSmallDisk ? `: ${noSmallDisk}` : ''}`,
    () => {
      const disk = useSmallDisk(DISK_BYTES);
      const world = useFaultWorld(choice, { stateDir: disk.dir });

      /** The source once it has failed over its disk; what is applied is what it was. */
      async function failedSource(before: Live): Promise<Live> {
        const { namespace } = world.cluster;
        const isFailed = (live: Live | undefined) => conditionStatus(live, 'Ready') === 'False';
        const failed = await world.suite.waitFor(paths.git(namespace, 'app'), isFailed, 'a failure');
        expect(conditionStatus(failed, 'ArtifactInStorage')).toBe('True');
        expect(failed.status.artifact.revision).toBe(before.status.lastAppliedRevision);
        expect((await world.suite.get(paths.kustomization(namespace, 'app'))).status).toEqual(before.status);
        return failed;
      }

      checkSeeds('is full', async () => {
        const repository = await world.deploy();
        const before = await world.suite.get(paths.kustomization(world.cluster.namespace, 'app'));

        disk.fill(0);
        const head = await world.push(repository);
        const failed = await failedSource(before);
        disk.clear();

        expect(condition(failed, 'Ready').message).toMatch(/no space left on device/i);
        await world.expectLive(head);
      });

      checkSeeds('becomes full amid the fetch', async (choices) => {
        const repository = await world.deploy();

        disk.fill(choices.below(32 * 1024));
        const head = await world.push(repository);
        await world.clock.sleep(choices.below(20_000));
        disk.clear();

        await world.expectLive(head);
      });

      checkSeeds('is read-only', async () => {
        const repository = await world.deploy();
        const before = await world.suite.get(paths.kustomization(world.cluster.namespace, 'app'));

        disk.setReadOnly(true);
        const head = await world.push(repository);
        const failed = await failedSource(before);
        disk.setReadOnly(false);

        expect(condition(failed, 'Ready').message).toMatch(/read-only file system/i);
        await world.expectLive(head);
      });

      checkSeeds('is full when the next process begins', async (choices) => {
        const repository = await world.deploy();

        world.inject(({ watch }) => (watch ? undefined : { kind: 'death', when: 'before' }));
        const head = await world.push(repository);
        await world.replace({ meanwhile: async () => disk.fill(choices.below(2) * 8192) });
        await world.clock.sleep(choices.below(20_000));
        disk.clear();

        await world.expectLive(head);
      });
    },
  );
}
