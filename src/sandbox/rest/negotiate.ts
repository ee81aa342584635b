// Owns choosing the form of an answer from the Accept header: JSON or YAML, the object as it is, a table, metadata only.
// As in a kube-apiserver two parties look at the header: the router, which knows media types alone, and the encoder,
// which knows parameters, too. Protobuf answers are not offered. Pure.
import { toYaml } from '../../lib/goyaml/sigs.ts';
import { parseJson } from '../../lib/json.ts';
import type { Answer } from './answer.ts';
import { notAcceptable, notRouted } from './errors.ts';

export interface Form {
  readonly as: 'object' | 'table' | 'metadata' | 'metadataList';
  /** Of meta.k8s.io, for what is not the object itself. */
  readonly version: 'v1' | 'v1beta1';
  readonly mediaType: string;
}

const JSON_TYPE = 'application/json';
const YAML_TYPE = 'application/yaml';
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';
/** As the API server lists them. */
const LISTED = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];
/** Of collections, which can be watched. */
export const LISTED_STREAMS = [...LISTED, `${JSON_TYPE};stream=watch`, `${PROTOBUF_TYPE};stream=watch`];
const OFFERED = [JSON_TYPE, YAML_TYPE];
const SHAPES: Readonly<Record<string, Form['as']>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadataList',
};

interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** The router's look: some media type of the header is one of these. Throws ApiError 406. */
export function checkRoute(accept: string | undefined, produced: readonly string[] = LISTED): void {
  const types = (accept || '*/*').split(',').map((clause) => clause.split(';')[0]!.trim());
  if (!types.some((type) => type === '*/*' || produced.includes(type))) throw notRouted(produced);
}

/** The first form of the header that this server has. Throws ApiError 406 when there is none. */
export function negotiate(accept: string | undefined): Form {
  const form = findForm(accept, toForm);
  if (form === undefined) throw notAcceptable(LISTED);
  return form;
}

/** The first answer of `accepts` for the clauses of the header, the preferred first; undefined when it accepts none. */
export function findForm<T>(
  accept: string | undefined,
  accepts: (mediaType: string, parameters: ReadonlyMap<string, string>) => T | undefined,
): T | undefined {
  if (!accept) return accepts(JSON_TYPE, new Map());
  for (const { type, parameters } of parseAccept(accept)) {
    for (const offered of OFFERED) {
      if (type !== offered && type !== 'application/*' && type !== '*/*') continue;
      const form = accepts(offered, parameters);
      if (form !== undefined) return form;
    }
  }
  return undefined;
}

function parseAccept(accept: string): Clause[] {
  const clauses = accept.split(',').map((clause): Clause => {
    const [type = '', ...rest] = clause.split(';').map((part) => part.trim());
    const parameters = new Map(rest.map((part) => [part.split('=')[0]!, part.split('=').slice(1).join('=')] as const));
    const quality = Number(parameters.get('q') ?? 1);
    parameters.delete('q');
    return { type, parameters, quality: Number.isNaN(quality) ? 1 : quality };
  });
  return clauses.sort((a, b) => b.quality - a.quality);
}

function toForm(mediaType: string, parameters: ReadonlyMap<string, string>): Form | undefined {
  const [as, group, version] = ['as', 'g', 'v'].map((name) => parameters.get(name));
  if (as === undefined && group === undefined && version === undefined)
    return { as: 'object', version: 'v1', mediaType };
  if (group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined;
  const shape = SHAPES[as ?? ''];
  return shape === undefined ? undefined : { as: shape, version, mediaType };
}

/** The answer as YAML where the client prefers that; texts that are no JSON stay as they are. */
export function encodeAnswer(accept: string | undefined, answer: Answer): Answer {
  if (answer.contentType !== undefined || !accept?.includes(YAML_TYPE)) return answer;
  if (findForm(accept, toForm)?.mediaType !== YAML_TYPE) return answer;
  return { ...answer, body: toYaml(parseJson(answer.body)), contentType: YAML_TYPE };
}
