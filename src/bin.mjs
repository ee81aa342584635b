#!/usr/bin/env node
// Refuses a Node that cannot run TypeScript, with a sentence instead of a syntax error; then runs main.ts.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`lockstep: Node ${process.version} is too old, 22.19 or newer is needed`);
  process.exit(1);
}
// Kept from the second start on: no TypeScript to strip (25 MiB and half a second less). Not in the machine's shared
// temporary folder, where another user could plant code; a read-only installation does without.
const { enableCompileCache } = await import('node:module');
const { fileURLToPath } = await import('node:url');
const cache = fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url));
enableCompileCache(process.env.NODE_COMPILE_CACHE ?? cache);
await import('./main.ts');
