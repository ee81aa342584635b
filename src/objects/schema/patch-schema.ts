// Owns what a strategic merge patch needs to know of the fields of built-in kinds: which maps and lists merge, and lists
// by which key. Making patches is plan/client-side.ts; the frozen data of kustomize is merge-schema.ts.
import { patchKinds, patchTypes } from './patch-types.ts';

/** The fields of a type that have a strategy, or have such fields below them. Of all others maps merge and lists do not. */
export interface PatchType {
  field(name: string): PatchField;
}

export interface PatchField {
  /** Of a list: its items are merged one by one. */
  readonly merges: boolean;
  /** Fields of a map, or of the items of a list, that the patch does not name are dropped. */
  readonly retainsKeys: boolean;
  /** The map is replaced as a whole. */
  readonly replaces: boolean;
  /** Field by which the items of a list that merges are told apart; '' where they are no maps. */
  readonly mergeKey: string;
  /** Type of the map, or of the items of the list. */
  readonly type: PatchType;
}

const plain: PatchField = {
  merges: false,
  retainsKeys: false,
  replaces: false,
  mergeKey: '',
  type: { field: () => plain },
};

const types: ReadonlyMap<string, PatchType> = new Map(
  patchTypes.map((line) => {
    const [name = '', ...tokens] = line.split(' ');
    let fields: ReadonlyMap<string, PatchField> | undefined;
    const type: PatchType = {
      field: (key) => {
        fields ??= new Map(tokens.map(parseField));
        return fields.get(key) ?? plain;
      },
    };
    return [name, type];
  }),
);

const kinds: ReadonlyMap<string, PatchType> = new Map(
  patchKinds.map((line) => {
    const [apiVersion, kind, type = ''] = line.split(' ');
    return [`${apiVersion} ${kind}`, types.get(type) ?? plain.type];
  }),
);

/** The type of a built-in kind; undefined for a custom one, which takes no strategic merge patch. */
export function patchTypeOf(apiVersion: string, kind: string): PatchType | undefined {
  return kinds.get(`${apiVersion} ${kind}`);
}

/** `name=strategies/key:Type`. */
function parseField(token: string): [string, PatchField] {
  const [, name = '', strategies = '', mergeKey = '', type = ''] =
    /^([^=:]+)(?:=([^/:]+)(?:\/([^:]+))?)?(?::(\w+))?$/.exec(token)!;
  const words = strategies.split(',');
  return [
    name,
    {
      merges: words.includes('merge'),
      retainsKeys: words.includes('retainKeys'),
      replaces: words.includes('replace'),
      mergeKey,
      type: types.get(type) ?? plain.type,
    },
  ];
}
