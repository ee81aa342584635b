// Owns the table of checks of built-in types, by definition name; checks.ts walks it. The checks are in validation/, a
// file for each family of kinds.
import { CONTAINER_CHECKS } from './validation/containers.ts';
import { JOB_CHECKS } from './validation/jobs.ts';
import { NETWORK_CHECKS } from './validation/network.ts';
import { POD_CHECKS } from './validation/pods.ts';
import { type CheckRules, LABEL_SELECTOR } from './validation/rule.ts';
import { SCALER_CHECKS } from './validation/scalers.ts';
import { SERVICE_CHECKS } from './validation/services.ts';
import { SETTING_CHECKS } from './validation/settings.ts';
import { WORKLOAD_CHECKS } from './validation/workloads.ts';

export const BUILTIN_CHECKS: CheckRules = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector': LABEL_SELECTOR,
  ...CONTAINER_CHECKS,
  ...POD_CHECKS,
  ...WORKLOAD_CHECKS,
  ...JOB_CHECKS,
  ...NETWORK_CHECKS,
  ...SCALER_CHECKS,
  ...SERVICE_CHECKS,
  ...SETTING_CHECKS,
};
