// Owns throwing damaged bytes at every parser of Git data: nothing but a GitError may come out, and soon.
//   FUZZ_SECONDS=120 FUZZ_SEED=1 node test/fuzz/git.ts   (120 s is the default)
// A failure prints the seed and the round, which bring the same bytes again.
import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { formatCommit, parseCommit, parseTag } from '../../src/engines/git/commit.ts';
import { applyDelta } from '../../src/engines/git/delta.ts';
import { GitError } from '../../src/engines/git/errors.ts';
import { parseGitmodules, resolveSubmoduleUrl } from '../../src/engines/git/gitmodules.ts';
import { indexPack } from '../../src/engines/git/index-pack.ts';
import { memorySource } from '../../src/engines/git/inflate.ts';
import { InflateError, inflateSmall } from '../../src/engines/git/inflate-small.ts';
import { hashObject } from '../../src/engines/git/oid.ts';
import { formatEntryHeader, formatPackHeader } from '../../src/engines/git/pack-entry.ts';
import { formatPackIdx, parsePackIdx } from '../../src/engines/git/pack-idx.ts';
import { createPackReader } from '../../src/engines/git/pack-reader.ts';
import { completePackBytes } from '../../src/engines/git/pack-write.ts';
import { FetchAnswer } from '../../src/engines/git/protocol/fetch.ts';
import { DELIM_PKT, FLUSH_PKT, formatPkt, type Pkt, PktParser } from '../../src/engines/git/protocol/pktline.ts';
import { parsePushReport } from '../../src/engines/git/protocol/push.ts';
import { parseAdvertisement, parseLsRefs, type ServerFeatures } from '../../src/engines/git/protocol/refs.ts';
import { verifySshSignature } from '../../src/engines/git/signature.ts';
import { formatTree, parseTree } from '../../src/engines/git/tree.ts';
import { hostKeysFor } from '../../src/remote/git/known-hosts.ts';

/** Where a run is; the same seed gives the same bytes. */
export interface FuzzRun {
  readonly seed: number;
  /** Called before each round; the run ends when it says so. */
  readonly goesOn: (round: number) => boolean;
}

/** Most CPU time that one round may take, as a busy machine takes the core away. Nothing here is larger than some kB. */
const ROUND_LIMIT_MS = 2000;

type Random = (below: number) => number;

/** Runs and returns the number of rounds. Throws an Error that names seed, round and target when something else than a GitError comes out. */
export function fuzzGit(run: FuzzRun): number {
  let round = 0;
  for (; run.goesOn(round); round++) {
    const random = createRandom(run.seed * 1_000_003 + round);
    const [name, target] = TARGETS[round % TARGETS.length] as [string, (random: Random) => void];
    const before = process.threadCpuUsage();
    try {
      target(random);
    } catch (cause) {
      if (!(cause instanceof GitError)) throw new Error(`seed ${run.seed}, round ${round}: ${name} failed`, { cause });
    }
    const { user, system } = process.threadCpuUsage(before);
    if ((user + system) / 1000 > ROUND_LIMIT_MS)
      throw new Error(`seed ${run.seed}, round ${round}: ${name} took too long`);
  }
  return round;
}

// mulberry32: small, seeded, good enough to choose bytes.
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const TARGETS: readonly (readonly [string, (random: Random) => void])[] = [
  ['pack', fuzzPack],
  ['pack with a true check sum', fuzzSealedPack],
  ['index', fuzzIdx],
  ['delta', fuzzDelta],
  ['inflate', fuzzInflate],
  ['objects', fuzzObjects],
  ['answers', fuzzAnswers],
  ['texts', fuzzTexts],
];

function damage(bytes: Buffer, random: Random): Buffer {
  let damaged = Buffer.from(bytes);
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(damaged.length + 1);
    switch (random(5)) {
      case 0:
        if (at < damaged.length) damaged[at] = random(256);
        break;
      case 1:
        if (at < damaged.length) damaged[at] = (damaged[at] as number) ^ (1 << random(8));
        break;
      case 2:
        damaged = damaged.subarray(0, at);
        break;
      case 3:
        damaged = Buffer.concat([
          damaged.subarray(0, at),
          Buffer.from([0xff, 0x7f, random(256)].slice(random(3))),
          damaged.subarray(at),
        ]);
        break;
      default: {
        const end = Math.min(damaged.length, at + random(40));
        damaged = Buffer.concat([damaged.subarray(0, end), damaged.subarray(at)]);
      }
    }
  }
  return damaged;
}

function text(random: Random, length: number): Buffer {
  const words = ['apiVersion: v1\n', 'kind: ', 'name', '  ', 'ä', '\0', String.fromCharCode(random(256))];
  return Buffer.from(Array.from({ length: random(length) + 1 }, () => words[random(words.length)]).join(''));
}

function deltaOn(base: Buffer, random: Random): Buffer {
  const size = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...size(value >> 7)]);
  const body: number[] = [];
  let length = 0;
  for (let times = random(5); times > 0; times--) {
    if (random(2) === 0 && base.length > 0) {
      const from = random(base.length);
      const count = 1 + random(Math.min(255, base.length - from));
      body.push(0x93, from & 255, from >> 8, count);
      length += count;
    } else {
      const added = text(random, 3).subarray(0, 100);
      body.push(added.length, ...added);
      length += added.length;
    }
  }
  return Buffer.from([...size(base.length), ...size(length), ...body]);
}

function makePack(random: Random): Buffer {
  const entries: Buffer[] = [];
  const known: { data: Buffer; oid: string; at: number }[] = [];
  let at = 12;
  const count = 1 + random(6);
  for (let index = 0; index < count; index++) {
    const base = known.length === 0 ? undefined : known[random(known.length)];
    let entry: Buffer;
    let data: Buffer;
    if (base === undefined || random(3) === 0) {
      data = Buffer.concat([Buffer.from(`${index}`), text(random, 30)]);
      entry = Buffer.concat([formatEntryHeader('blob', data.length), deflateSync(data)]);
    } else {
      const delta = deltaOn(base.data, random);
      data = applyDelta(base.data, delta, 1 << 20);
      const how = random(2) === 0 ? { back: at - base.at } : { oid: base.oid };
      entry = Buffer.concat([
        formatEntryHeader('back' in how ? 'ofs-delta' : 'ref-delta', delta.length, how),
        deflateSync(delta),
      ]);
    }
    known.push({ data, oid: hashObject('blob', data, 'sha1'), at });
    entries.push(entry);
    at += entry.length;
  }
  return seal(Buffer.concat([formatPackHeader(count), ...entries]));
}

function seal(body: Buffer): Buffer {
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

const LIMITS = { maxObjectBytes: 1 << 20, maxObjects: 10_000, maxTotalBytes: 1 << 24 };

function readWhole(pack: Buffer): void {
  const indexed = indexPack(memorySource(pack), 'sha1', { limits: LIMITS });
  const complete = completePackBytes(pack, indexed, 'sha1');
  const idx = parsePackIdx(formatPackIdx(complete.columns, complete.checksum, 'sha1'), 'sha1');
  const reader = createPackReader(memorySource(complete.bytes), idx, 'sha1', LIMITS);
  for (let rank = 0; rank < idx.count; rank++) {
    const oid = idx.oidAt(rank);
    const object = reader.read(oid);
    if (object === undefined || hashObject(object.type, object.data, 'sha1') !== oid)
      throw new Error(`${oid} reads wrong`);
  }
}

function fuzzPack(random: Random): void {
  readWhole(damage(makePack(random), random));
}

// Damage inside with the sum put right gets past the first gate.
function fuzzSealedPack(random: Random): void {
  const pack = makePack(random);
  readWhole(random(8) === 0 ? pack : seal(damage(pack.subarray(0, -20), random)));
}

function fuzzIdx(random: Random): void {
  const pack = makePack(random);
  let indexed: ReturnType<typeof indexPack>;
  try {
    indexed = indexPack(memorySource(pack), 'sha1', { limits: LIMITS });
  } catch (error) {
    // Two entries may happen to be equal.
    if (error instanceof GitError) return;
    throw error;
  }
  const idx = formatPackIdx(indexed.columns, indexed.checksum, 'sha1');
  const damaged = damage(idx.subarray(0, -20), random);
  const parsed = parsePackIdx(Buffer.concat([damaged, createHash('sha1').update(damaged).digest()]), 'sha1');
  const reader = createPackReader(memorySource(pack), parsed, 'sha1', LIMITS);
  for (let rank = 0; rank < Math.min(parsed.count, 20); rank++) {
    parsed.find(parsed.oidAt(rank));
    try {
      reader.read(parsed.oidAt(rank));
      reader.stat(parsed.oidAt(rank));
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
    }
  }
}

function fuzzDelta(random: Random): void {
  const base = text(random, 40);
  applyDelta(base, damage(deltaOn(base, random), random), 1 << 20);
}

// The small inflater must agree with zlib on what is right and what is wrong.
function fuzzInflate(random: Random): void {
  const data = text(random, 40).subarray(0, 500);
  const stream = deflateSync(data, { level: random(10), strategy: random(5) });
  const input = random(3) === 0 ? stream : damage(stream, random);
  const own = Buffer.alloc(data.length);
  const isOwnRight = succeeds(() => void inflateSmall(input, own));
  const theirs = succeeds(() => {
    if (inflateSync(input, { maxOutputLength: Math.max(1, data.length) }).length !== data.length)
      throw new InflateError('short');
  });
  if (isOwnRight !== theirs)
    throw new Error(`zlib says ${theirs}, inflateSmall says ${isOwnRight}: ${input.toString('hex')}`);
}

function succeeds(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof InflateError || (error as { code?: unknown }).code !== undefined) return false;
    throw error;
  }
}

function fuzzObjects(random: Random): void {
  const oid = createHash('sha1')
    .update(String(random(1000)))
    .digest('hex');
  const ada = { name: 'A', email: 'a@b', seconds: random(2 ** 31), zone: '+0100' };
  const objects: (() => void)[] = [
    () =>
      parseTree(
        damage(
          formatTree([
            { name: 'a', kind: 'file', oid },
            { name: 'b', kind: 'tree', oid },
          ]),
          random,
        ),
        'sha1',
      ),
    () =>
      parseCommit(
        damage(
          formatCommit({ tree: oid, parents: [oid], author: ada, committer: ada, message: 'm', signature: 'a\nb\n' }),
          random,
        ),
      ),
    () =>
      parseTag(
        damage(
          Buffer.from(`object ${oid}\ntype commit\ntag v\ntagger A <a> 1 +0000\n\nm\n-----BEGIN PGP SIGNATURE-----\n`),
          random,
        ),
      ),
  ];
  objects[random(objects.length)]?.();
}

function parseLines(stream: Buffer, random: Random): Pkt[] {
  const parser = new PktParser();
  const lines: Pkt[] = [];
  for (let at = 0; at < stream.length; ) {
    const next = at + 1 + random(50);
    lines.push(...parser.push(stream.subarray(at, next)));
    at = next;
  }
  return lines;
}

function fuzzAnswers(random: Random): void {
  const oid = 'a'.repeat(40);
  const features: ServerFeatures = {
    version: 0,
    format: 'sha1',
    capabilities: new Map([
      ['report-status', ''],
      ['side-band-64k', ''],
    ]),
  };
  const streams = [
    [
      formatPkt('# service=git-upload-pack\n'),
      FLUSH_PKT,
      formatPkt('version 2\n'),
      formatPkt('fetch=shallow filter\n'),
      FLUSH_PKT,
    ],
    [
      formatPkt(`${oid} HEAD\0symref=HEAD:refs/heads/main object-format=sha1\n`),
      formatPkt(`${oid} refs/tags/v^{}\n`),
      FLUSH_PKT,
    ],
    [formatPkt(`${oid} refs/heads/main peeled:${oid}\n`), formatPkt('unborn HEAD\n'), FLUSH_PKT],
    [
      formatPkt('shallow-info\n'),
      formatPkt(`shallow ${oid}\n`),
      DELIM_PKT,
      formatPkt('packfile\n'),
      formatPkt('\x01PACK'),
      FLUSH_PKT,
    ],
    [
      formatPkt(`shallow ${oid}\n`),
      FLUSH_PKT,
      formatPkt('NAK\n'),
      formatPkt('\x02progress'),
      formatPkt('\x03no'),
      FLUSH_PKT,
    ],
    [
      formatPkt(Buffer.concat([Buffer.from([1]), formatPkt('unpack ok\n'), formatPkt('ok refs/heads/main\n')])),
      FLUSH_PKT,
    ],
  ];
  const which = random(streams.length);
  const lines = parseLines(damage(Buffer.concat(streams[which] as Buffer[]), random), random);
  if (which < 2) parseAdvertisement(lines);
  else if (which === 2) parseLsRefs(lines);
  else if (which === 5) parsePushReport(lines, [{ name: 'refs/heads/main', oldOid: oid, newOid: oid }], features);
  else {
    const answer = new FetchAnswer(which === 3 ? 2 : 0, true);
    for (const line of lines) answer.push(line);
    answer.finish();
  }
}

function fuzzTexts(random: Random): void {
  const modules = damage(Buffer.from('[submodule "a"]\n\tpath = x\n\turl = ../y.git # z\n'), random).toString();
  for (const module of parseGitmodules(modules)) resolveSubmoduleUrl('https://h/a/b', module.url);
  const line = `[h]:22,*.example.com ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519abc')]).toString('base64')}`;
  hostKeysFor(damage(Buffer.from(`${line}\n|1|YQ==|Yg== ${line}`), random).toString(), 'h.example.com', 22).judge(
    Buffer.from('x'),
  );
  const signature = `-----BEGIN SSH SIGNATURE-----\n${damage(Buffer.from('SSHSIG\0\0\0\x01\0\0\0\x03key\0\0\0\x03git\0\0\0\0\0\0\0\x06sha512\0\0\0\x04sign'), random).toString('base64')}\n-----END SSH SIGNATURE-----`;
  verifySshSignature(signature, Buffer.from('x'), [damage(Buffer.from(line), random).toString()]);
}

if (import.meta.main) {
  const seconds = Number(process.env['FUZZ_SECONDS'] ?? 120);
  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
  const end = performance.now() + seconds * 1000;
  const rounds = fuzzGit({ seed, goesOn: () => performance.now() < end });
  console.log(`git: ${rounds} rounds, seed ${seed}: nothing but GitErrors`);
}
