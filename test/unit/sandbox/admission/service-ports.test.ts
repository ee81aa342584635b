import { expect, it } from 'vitest';
import { type Admitting, withNodePorts } from '../../../../src/sandbox/admission/service-ports.ts';

it('leaves the first ports of the range to those who ask for one', () => {
  const given = Array.from({ length: 3_000 }, (_, revision) => {
    const admitting = { core: { storage: { list: () => [], revision } }, before: undefined } as unknown as Admitting;
    const spec = withNodePorts(admitting, { type: 'NodePort', ports: [{ port: 80 }] });
    return (spec['ports'] as { nodePort: number }[])[0]!.nodePort;
  });

  expect(Math.min(...given)).toBe(30_086);
  expect(Math.max(...given)).toBeLessThanOrEqual(32_767);
});
