// Owns the name of the Helm release line whose behaviour a render follows. What differs stands where it differs.

/** `helm3` is 3.22, the default everywhere; `helm4` is 4.2. */
export type Compat = 'helm3' | 'helm4';
