#!/bin/sh
# Says in one line what is missing before anything else is run. Plain sh: it must work where node does not.
version=$(node --version 2>/dev/null)
if [ -z "$version" ]; then
  echo "lockstep: node does not run here. The bundled Node needs glibc; elsewhere (musl, macOS) install Node 22.19 or newer and run: npm ci --omit=optional" >&2
  exit 1
fi
number=${version#v}
major=${number%%.*}
rest=${number#*.}
minor=${rest%%.*}
if [ "$major" -lt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -lt 19 ]; }; then
  echo "lockstep: Node $version is too old, 22.19 or newer is needed" >&2
  exit 1
fi
if ! command -v git >/dev/null 2>&1; then
  echo "lockstep: git is not installed" >&2
  exit 1
fi
