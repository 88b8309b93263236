#!/usr/bin/env bash
# Writes requirements-dev.txt, requirements.txt and requirements-providers.txt (vendors that are an extra) from pyproject.toml, with hashes, for every platform. Needs uv.
# Versions already in the files are kept where they still fit; `lock.sh --upgrade` takes the newest.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v uv >/dev/null; then
  printf 'missing: uv\nwhy:     it resolves the lock\ntype:    pip install uv\n' >&2
  exit 1
fi
compile() {
  uv pip compile pyproject.toml --quiet --generate-hashes --universal --python-version 3.11 \
    --no-header --no-emit-index-url --no-emit-find-links "$@"
}
compile --group dev --extra providers --output-file requirements-dev.txt "$@"
compile --constraints requirements-dev.txt --output-file requirements.txt
compile --extra providers --constraints requirements-dev.txt --output-file requirements-providers.txt
