// Owns the push exchange (receive-pack, version 0 or 1): the request and the report on it.
import { GitError } from '../errors.ts';
import { FLUSH_PKT, formatPkt, type Pkt, PktParser, pktText } from './pktline.ts';
import { checkError, cleanRemoteText, type ServerFeatures } from './refs.ts';

/** One change of a ref. All zeros as `oldOid` creates, as `newOid` deletes. */
export interface RefChange {
  readonly name: string;
  readonly oldOid: string;
  readonly newOid: string;
}

/** The request body: the changes, then the pack. */
export function formatPush(
  changes: readonly RefChange[],
  pack: Uint8Array | undefined,
  features: ServerFeatures,
  agent: string,
): Buffer {
  const asked = ['report-status', 'side-band-64k', 'atomic'].filter((name) => features.capabilities.has(name));
  const deletes = changes.some((change) => /^0+$/.test(change.newOid));
  if (deletes && !features.capabilities.has('delete-refs')) {
    throw new GitError('GitUnsupported', 'the server does not let refs be deleted');
  }
  if (features.capabilities.has('object-format')) asked.push(`object-format=${features.format}`);
  if (features.capabilities.has('agent')) asked.push(`agent=${agent}`);
  const lines = changes.map(({ oldOid, newOid, name }, index) =>
    formatPkt(`${oldOid} ${newOid} ${name}${index === 0 ? `\0 ${asked.join(' ')}` : ''}\n`),
  );
  return Buffer.concat([...lines, FLUSH_PKT, ...(pack === undefined ? [] : [pack])]);
}

/**
 * Reads the server's report.
 * @throws GitError GitPushRejected with the reason of the first refused ref; GitRemoteMessage
 */
export function parsePushReport(lines: readonly Pkt[], changes: readonly RefChange[], features: ServerFeatures): void {
  if (!features.capabilities.has('report-status')) return;
  const report = features.capabilities.has('side-band-64k') ? unwrap(lines) : lines;
  const texts = report.flatMap((line) => (line.kind === 'data' ? [checkError(pktText(line.data))] : []));
  const unpack = texts.find((text) => text.startsWith('unpack '));
  if (unpack === undefined) throw new GitError('GitProtocol', 'the server did not report on the push');
  if (unpack !== 'unpack ok') throw rejected(`unpacking failed: ${cleanRemoteText(unpack.slice(7))}`, undefined);
  for (const text of texts) {
    const refused = /^ng (\S+) (.*)$/.exec(text);
    if (refused !== null) throw rejected(cleanRemoteText(refused[2] as string), refused[1]);
  }
  for (const { name } of changes) {
    if (!texts.includes(`ok ${name}`)) throw new GitError('GitProtocol', `the server did not report on ${name}`);
  }
}

function rejected(reason: string, ref: string | undefined): GitError {
  const subject = ref === undefined ? 'push' : `push to ${ref}`;
  return new GitError('GitPushRejected', `${subject} was rejected: ${reason}`, ref === undefined ? {} : { ref });
}

// The report stands inside the first band, framed once more.
function unwrap(lines: readonly Pkt[]): Pkt[] {
  const parser = new PktParser();
  const inner: Pkt[] = [];
  for (const line of lines) {
    if (line.kind !== 'data') continue;
    if (line.data[0] === 1) inner.push(...parser.push(line.data.subarray(1)));
    else if (line.data[0] === 3) throw new GitError('GitRemoteMessage', cleanRemoteText(line.data.toString('utf8', 1)));
    else if (line.data[0] !== 2) checkError(pktText(line.data));
  }
  return inner;
}
