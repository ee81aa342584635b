// Owns the list of steps that kinds add to writes, in the order in which they run.
import type { AdmissionStep } from '../core.ts';
import { definitionStep, terminatingStep } from './definitions.ts';
import { namespaceStep, placeStep } from './namespaces.ts';
import { priorityClassStep, priorityStep } from './priorities.ts';
import { rbacSteps } from './rbac.ts';
import { serviceAccountStep } from './service-accounts.ts';
import { serviceStep } from './services.ts';
import { claimStep, volumeStep } from './volumes.ts';
import { jobStep, podStep } from './workloads.ts';

export const ADMISSION: readonly AdmissionStep[] = [
  placeStep,
  terminatingStep,
  namespaceStep,
  priorityStep,
  priorityClassStep,
  podStep,
  serviceAccountStep,
  jobStep,
  serviceStep,
  definitionStep,
  volumeStep,
  claimStep,
  ...rbacSteps,
];
