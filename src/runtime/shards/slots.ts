// Owns how keys are spread over replicas, as pure functions: key → slot by hash, slot → replica by rendezvous hashing,
// and which slots ought to change hands. The protocol around it is README.md of this folder.

/** How many slots there are: the same for all replicas, for ever. A table of it fits into an annotation. */
export const SLOT_COUNT = 256;

/** The replica that each slot belongs to; no entry for a slot that belongs to nobody. */
export type Assignment = ReadonlyMap<number, string>;

/**
 * The slot of a key. GitRepositories of one namespace stay together: they may include one another, and an include is
 * made of Git objects on disk.
 */
export function slotOf(kind: string, key: string): number {
  return hash(`${kind}/${kind === 'GitRepository' ? key.slice(0, key.indexOf('/')) : key}`) % SLOT_COUNT;
}

/**
 * The replica that a slot ought to belong to: the one with the highest hash of both names (rendezvous hashing). A replica
 * that comes takes only what is to be its own, one that goes leaves the rest where it is; a ring would need hundreds of
 * points per replica to be as even. Undefined without replicas.
 */
export function chooseMember(slot: number, members: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestScore = -1;
  for (const member of members) {
    const score = hash(`${slot}@${member}`);
    if (score < bestScore || (score === bestScore && member > best!)) continue;
    best = member;
    bestScore = score;
  }
  return best;
}

/** The replica that each slot ought to belong to. */
export type Wanted = readonly (string | undefined)[];

/** `chooseMember` for all slots. */
export function chooseMembers(members: ReadonlySet<string>): Wanted {
  return Array.from({ length: SLOT_COUNT }, (_, slot) => chooseMember(slot, members));
}

/** What one replica knows when it asks what is to change. */
export interface SlotView {
  readonly me: string;
  /** As the replicas that are taken to be alive make it, `me` among them. */
  readonly wanted: Wanted;
  /** Whether whoever owns a slot has provably stopped acting on it. */
  isGone(owner: string): boolean;
  readonly assignment: Assignment;
}

/** Slots that change hands, by what one replica may do about it. */
export interface SlotMoves {
  /** Own slots, and who is to get them. */
  readonly give: ReadonlyMap<number, string>;
  /** Slots of nobody, or of one that is gone. */
  readonly take: ReadonlySet<number>;
}

/** What `me` may change: only the owner gives a slot away while it lives, and only what has no owner is taken. */
export function planMoves({ me, wanted, isGone, assignment }: SlotView): SlotMoves {
  const give = new Map<number, string>();
  const take = new Set<number>();
  for (const [slot, member] of wanted.entries()) {
    const owner = assignment.get(slot);
    if (owner === me && member !== undefined && member !== me) give.set(slot, member);
    else if (owner !== me && member === me && (owner === undefined || isGone(owner))) take.add(slot);
  }
  return { give, take };
}

/** The assignment after the moves. */
export function withMoves(assignment: Assignment, { give, take }: SlotMoves, me: string): Assignment {
  const next = new Map(assignment);
  for (const [slot, member] of give) next.set(slot, member);
  for (const slot of take) next.set(slot, me);
  return next;
}

/** Slots of a replica. */
export function slotsOf(assignment: Assignment, member: string): Set<number> {
  return new Set([...assignment].filter(([, owner]) => owner === member).map(([slot]) => slot));
}

/** As the table's annotation has it: `{"<replica>":[0,3,…]}`, replicas and slots in order. */
export function formatAssignment(assignment: Assignment): string {
  const members = [...new Set(assignment.values())].sort();
  const entries = members.map((member) => [member, [...slotsOf(assignment, member)].sort((a, b) => a - b)]);
  return JSON.stringify(Object.fromEntries(entries));
}

/** Reads the annotation; absent is empty. Throws SyntaxError or TypeError for what `formatAssignment` did not write. */
export function parseAssignment(text: string | undefined): Assignment {
  const assignment = new Map<number, string>();
  if (text === undefined) return assignment;
  for (const [member, slots] of Object.entries(JSON.parse(text) as Record<string, unknown>)) {
    if (!Array.isArray(slots)) throw new TypeError(`slots of ${member} are no list`);
    for (const slot of slots) {
      if (!Number.isInteger(slot) || slot < 0 || slot >= SLOT_COUNT) throw new TypeError(`${slot} is no slot`);
      assignment.set(slot, member);
    }
  }
  return assignment;
}

/** FNV-1a over UTF-16 units, finished as MurmurHash3 does so that all bits depend on all units; 32 bits, unsigned. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
