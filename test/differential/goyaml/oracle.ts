// Owns what the oracle of goyaml is asked and what it answers.
import { useGoOracle } from '../../support/go-oracle.ts';

export type Op = 'tree' | 'emit' | 'value' | 'json' | 'strict' | 'stream' | 'yaml' | 'marshal';

export interface OracleRequest {
  readonly op: Op;
  readonly text: string;
  readonly indent?: number;
  readonly wide?: boolean;
}

export interface OracleAnswer {
  readonly out: string;
  readonly nodes?: readonly unknown[];
  readonly error?: string;
}

/** Asks the oracle, which answers line by line, for the tests of a file. */
export function useOracle(): (requests: readonly OracleRequest[]) => OracleAnswer[] {
  const ask = useGoOracle('goyaml/oracle');
  return (requests) => {
    const output = ask(requests.map((request) => JSON.stringify(request)).join('\n'));
    return output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as OracleAnswer);
  };
}
