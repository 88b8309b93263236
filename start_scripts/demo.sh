#!/usr/bin/env bash
# Finds a Python and starts start_optimized.py, which does the rest. Works from any folder.
set -eu
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
for python in python3.11 python3.12 python3 python; do
  if "$python" -c "" 2>/dev/null; then
    exec "$python" "$here/start_optimized.py" demo "$@"
  fi
done
printf 'missing: Python 3.11 or 3.12\nwhy:     PATH has no Python at all\ntype:    sudo apt-get install python3 python3-venv\n' >&2
exit 1
