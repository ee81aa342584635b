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
    id: 'protobuf-answers',
    what: 'answers are JSON or YAML: a client that accepts protobuf alone gets 406 (bodies may be protobuf)',
    why: 'clients that ask for protobuf take JSON, too: application/vnd.kubernetes.protobuf,application/json',
  },
  {
    id: 'cel-cost',
    what: 'the work of rules of custom resources is counted in other units, and not estimated when they are defined',
    why: 'the estimate is the checker of cel-go; at runtime a rule is cut off after a million steps, an object after ten',
  },
] as const satisfies readonly Divergence[];

type DivergenceId = (typeof divergences)[number]['id'];

/** For suites: whether a difference is listed. One that is taken off the list does not compile where it was used. */
export function diverges(id: DivergenceId): boolean {
  return divergences.some((divergence) => divergence.id === id);
}
