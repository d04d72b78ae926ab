#!/bin/sh
# Write requirements/*.txt: exact versions with hashes for every platform, naming no index.
# Versions already locked are kept; `make lock UPGRADE=1` (or UPGRADE=NAME) moves them.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-.tools/bin/uv}

case "${UPGRADE:-}" in
    "") set -- ;;
    1) set -- --upgrade ;;
    *) set -- --upgrade-package "$UPGRADE" ;;
esac

compile() {
    out=requirements/$1.txt
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
        --no-annotate --output-file "$out" "$@"
}

# all.txt holds everything at once; the others are parts of it, so that no two of them disagree.
compile all "$@" pyproject.toml requirements/build.in --all-extras --group dev --group docs
compile runtime pyproject.toml --all-extras --constraints requirements/all.txt
compile demo pyproject.toml --extra server --constraints requirements/all.txt
compile dev pyproject.toml --all-extras --group dev --constraints requirements/all.txt
compile docs pyproject.toml --all-extras --group docs --constraints requirements/all.txt
compile build requirements/build.in --constraints requirements/all.txt
compile uv "$@" requirements/uv.in
