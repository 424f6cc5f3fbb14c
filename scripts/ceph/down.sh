#!/usr/bin/env bash
# Ends what up.sh started in DIRECTORY, by its process ids. Usage: down.sh DIRECTORY
set -euo pipefail
for file in "$1"/run/*.pid; do
  if [ -f "$file" ]; then kill -9 "$(cat "$file")" 2>/dev/null || true; fi
done
