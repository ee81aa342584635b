// Owns the small vocabulary that the kinds' OpenAPI schemas are written in. What the schemas say is each kind's file.
import type { JsonObject, JsonValue } from '../lib/json.ts';

/** A structural OpenAPI v3 schema as a CustomResourceDefinition carries it. */
export type Schema = JsonObject;

interface Extra {
  readonly [keyword: string]: JsonValue;
}

/** A string field; `extra` holds pattern, enum, default, minLength and the like. */
export function string(description: string, extra: Extra = {}): Schema {
  return { description, type: 'string', ...extra };
}

export function boolean(description: string, extra: Extra = {}): Schema {
  return { description, type: 'boolean', ...extra };
}

/** A 64-bit integer field. */
export function integer(description: string, extra: Extra = {}): Schema {
  return { description, type: 'integer', format: 'int64', ...extra };
}

export function dateTime(description: string): Schema {
  return { description, type: 'string', format: 'date-time' };
}

export function list(description: string, items: Schema, extra: Extra = {}): Schema {
  return { description, type: 'array', items, ...extra };
}

export function stringMap(description: string): Schema {
  return { description, type: 'object', additionalProperties: { type: 'string' } };
}

/** An object whose fields are known; unknown ones are pruned by the API server. */
export function object(
  description: string,
  properties: { readonly [name: string]: Schema },
  required: readonly string[] = [],
  extra: Extra = {},
): Schema {
  const base: JsonObject = { description, type: 'object', properties: { ...properties }, ...extra };
  if (required.length > 0) base['required'] = [...required];
  return base;
}

const GO_DURATION = '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$';
export const GO_DURATION_WITHOUT_HOURS = '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$';

/** A Go duration of ms, s, m and h (`1m30s`). */
export function duration(description: string): Schema {
  return string(description, { pattern: GO_DURATION });
}

/** A timeout of a source: a Go duration without hours (flux.md §1.7). */
export function sourceTimeout(description: string): Schema {
  return string(description, { pattern: GO_DURATION_WITHOUT_HOURS, default: '60s' });
}

/** A reference to an object of the same namespace by its name. */
export function localReference(description: string): Schema {
  return object(description, { name: string('Name of the referent.') }, ['name']);
}

/** `status.conditions` as metav1.Condition has it. */
export function conditions(): Schema {
  const condition = object(
    'One aspect of the current state.',
    {
      lastTransitionTime: dateTime('When status, reason or message last changed.'),
      message: string('What is the case, for people.', { maxLength: 32768 }),
      observedGeneration: integer('The metadata.generation that the condition was set for.', { minimum: 0 }),
      reason: string('What is the case, for programs.', {
        maxLength: 1024,
        minLength: 1,
        pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
      }),
      status: string('True, False or Unknown.', { enum: ['True', 'False', 'Unknown'] }),
      type: string('Name of the condition.', {
        maxLength: 316,
        pattern:
          '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
      }),
    },
    ['lastTransitionTime', 'message', 'reason', 'status', 'type'],
  );
  return list('Conditions of the object.', condition);
}

/** `status` of a kind that a controller reconciles: what all of them say of a pass, and what the kind adds. */
export function reconciledStatus(description: string, own: { readonly [name: string]: Schema }): Schema {
  return object(description, {
    conditions: conditions(),
    lastHandledReconcileAt: string('Value of the reconcile request annotation that was handled last.'),
    observedGeneration: integer('The generation that was reconciled last.'),
    ...own,
  });
}

/** The whole object: apiVersion, kind, metadata, spec and status, whose `observedGeneration` begins with -1. */
export function topLevel(description: string, spec: Schema, status: Schema): Schema {
  return topLevelWith(description, spec, { ...status, default: { observedGeneration: -1 } });
}

/** The same for a kind that nothing reconciles: its status is as somebody else writes it. */
export function topLevelWith(description: string, spec: Schema, status: Schema): Schema {
  return object(description, {
    apiVersion: string('Version of the schema that this object is written in, as group/version.'),
    kind: string('Kind of the object, in CamelCase.'),
    metadata: { type: 'object' },
    spec,
    status,
  });
}
