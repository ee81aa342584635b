// Owns what a command sees of the terminal, so that commands can be tested without a process.

/** Output and surroundings of a command. */
export interface CliIo {
  /** Text, or bytes, which need not be UTF-8: templates can write such. */
  stdout(text: string | Uint8Array): void;
  stderr(text: string | Uint8Array): void;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const processIo: CliIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  cwd: process.cwd(),
  env: process.env,
};

/** Proxies of the environment; the upper-case name wins, as in Go. */
export function environmentProxy(env: CliIo['env']): { http: string; https: string; none: string } {
  const read = (name: string): string => env[name] || env[name.toLowerCase()] || '';
  return { http: read('HTTP_PROXY'), https: read('HTTPS_PROXY'), none: read('NO_PROXY') };
}
