import { describe, expect, it } from 'vitest';
import { formatCommit, parseCommit, parseTag, subject } from '../../../../src/engines/git/commit.ts';

const tree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
const ada = { name: 'Ada L', email: 'ada@example.com', seconds: 1_700_000_000, zone: '+0200' };
const signature = '-----BEGIN PGP SIGNATURE-----\n\nabc\n=def\n-----END PGP SIGNATURE-----\n';

describe('parseCommit', () => {
  it('reads back what was written, signature and payload included', () => {
    const unsigned = { tree, parents: [tree], author: ada, committer: ada, message: 'first line\n\nmore\n' };

    const commit = parseCommit(formatCommit({ ...unsigned, signature }));

    expect({ ...commit, payload: undefined }).toEqual({ ...unsigned, signature, payload: undefined });
    expect(Buffer.from(commit.payload)).toEqual(formatCommit(unsigned));
  });

  it('cuts the signature of the other hash out of the payload too', () => {
    const text = `tree ${tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\ngpgsig x\n y\ngpgsig-sha256 z\n\nm`;

    const commit = parseCommit(Buffer.from(text));

    expect(commit.signature).toBe('x\ny\n');
    expect(Buffer.from(commit.payload).toString()).toBe(
      `tree ${tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm`,
    );
  });

  it('takes broken identities as they are', () => {
    const commit = parseCommit(Buffer.from(`tree ${tree}\nauthor nobody\ncommitter A <> never\n\n`));

    expect(commit.author).toEqual({ name: 'nobody', email: '', seconds: 0, zone: '+0000' });
    expect(commit.committer.seconds).toBe(0);
  });

  it.each(['', 'tree x\n\n', `tree ${tree}\n\n`, 'no header'])('refuses %j', (text) => {
    expect(() => parseCommit(Buffer.from(text))).toThrow();
  });
});

describe('parseTag', () => {
  it('splits message and signature', () => {
    const head = `object ${tree}\ntype commit\ntag v1\ntagger A <a@b> 5 +0000\n\nrelease\n`;

    const tag = parseTag(Buffer.from(head + signature));

    expect(tag).toMatchObject({ target: tree, targetType: 'commit', name: 'v1', message: 'release\n', signature });
    expect(Buffer.from(tag.payload).toString()).toBe(head);
  });

  it('has no signature without an armor block at the start of a line', () => {
    const tag = parseTag(Buffer.from(`object ${tree}\ntype tree\ntag t\n\nsee -----BEGIN PGP SIGNATURE-----\n`));

    expect(tag.signature).toBeUndefined();
  });
});

describe('subject', () => {
  it('is the first line', () => {
    expect(subject('one\ntwo')).toBe('one');
    expect(subject('\n  one  \n')).toBe('one');
    expect(subject('')).toBe('');
  });
});
