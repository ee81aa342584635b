#!/usr/bin/env node
// Refuses a Node that cannot run TypeScript, with a sentence instead of a syntax error; then runs main.ts.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(`lockstep: Node ${process.version} is too old, 22.19 or newer is needed`);
  process.exit(1);
}
await import('./main.ts');
