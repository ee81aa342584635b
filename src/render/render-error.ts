// Owns the errors of the render room. What a build itself refuses is the engine's error.
import { CodedError } from '../lib/errors.ts';

/** Codes: `PathNotFound`, `GenerateFailed`, `BuildFailed`, `DecodeFailed`. Messages are Flux's where it has one. */
export class RenderError extends CodedError<
  'PathNotFound' | 'GenerateFailed' | 'BuildFailed' | 'DecodeFailed',
  { readonly path?: string }
> {}
