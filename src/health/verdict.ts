// Owns the words of a health verdict (kstatus, flux.md §4.12).

export type HealthStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'NotFound' | 'Unknown';

/** What is known of an object's health, and why. */
export interface Verdict {
  readonly status: HealthStatus;
  /** For people; '' when there is nothing to add. */
  readonly message: string;
}

export function current(message = ''): Verdict {
  return { status: 'Current', message };
}

export function inProgress(message: string): Verdict {
  return { status: 'InProgress', message };
}

export function failed(message: string): Verdict {
  return { status: 'Failed', message };
}
