import { describe, expect, it } from 'vitest';
import { parseJson, stringifyJson } from '../../../../src/lib/json.ts';
import { pack, unpack } from '../../../../src/offload/render/packed.ts';

describe('packed lists', () => {
  it('come out as they went in', async () => {
    const items = Array.from({ length: 100 }, (_, index) =>
      parseJson(
        `{"__proto__": {"n": ${index}}, "constructor": [null, true, 1.5, 12345678901234567890], "t": "ü\\u0000"}`,
      ),
    );

    const back = await unpack(pack(items));

    expect(stringifyJson(back)).toBe(stringifyJson(items));
    expect(Object.keys(back[7] as object)).toEqual(['__proto__', 'constructor', 't']);
  });

  it('may be empty', async () => {
    expect(await unpack(pack([]))).toEqual([]);
  });

  it('stop coming out when nobody wants them any more', async () => {
    const reason = new Error('enough');

    await expect(unpack(pack([1]), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
