// Owns the description of one of our kinds: what a CustomResourceDefinition, a table and a controller need to know.
import type { Schema } from './schema.ts';

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'date' | 'integer' | 'boolean';
  readonly jsonPath: string;
}

/** One API version of a kind. */
export interface KindVersion {
  readonly name: string;
  readonly schema: Schema;
  readonly storage: boolean;
  /** Shown by kubectl on stderr when somebody uses the version. */
  readonly deprecationWarning?: string;
}

/** A row of the registry `kinds.ts`. */
export interface KindDescription {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly versions: readonly KindVersion[];
  readonly columns: readonly PrinterColumn[];
}

export const ageColumn: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
export const readyColumn: PrinterColumn = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
};
export const statusColumn: PrinterColumn = {
  name: 'Status',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].message',
};
