// The differences of the embedded API server from a real one that are known and meant, or not yet closed. Suites that
// compare the two read this list; whatever is not in it must be equal. It should be short, and shrink.

interface Divergence {
  /** What suites look it up by. */
  readonly id: string;
  readonly what: string;
  readonly why: string;
}

const divergences = [
  {
    id: 'explain-prose',
    what: 'kubectl explain shows the first sentence of a description; fields and types are the same',
    why: 'the full prose of all kinds is 4 MB of text that nothing else needs',
  },
  {
    id: 'one-node',
    what: 'there is one node (node-0); a DaemonSet has one pod',
    why: 'nothing that runs on the server can tell more nodes apart, and each pod costs memory',
  },
  {
    id: 'template-hash',
    what: 'pod-template-hash and controller-revision-hash have other letters',
    why: 'the real hash is over the memory layout of Go structs; ours is as stable and as long',
  },
  {
    id: 'pod-logs',
    what: 'kubectl logs prints one line that says which container would have written',
    why: 'no container runs here; exec, attach and port-forward are refused with 501',
  },
  {
    id: 'job-backoff',
    what: 'a failed pod of a Job is followed by the next after 1 s, doubling, instead of 10 s',
    why: 'nobody waits a minute for a demonstration to fail',
  },
] as const satisfies readonly Divergence[];

type DivergenceId = (typeof divergences)[number]['id'];

/** For suites: whether a difference is listed. One that is taken off the list does not compile where it was used. */
export function diverges(id: DivergenceId): boolean {
  return divergences.some((divergence) => divergence.id === id);
}
