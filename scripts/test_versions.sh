#!/bin/sh
# Run the tests on several Pythons, each in an environment of its own under .venvs/.
#   test_versions.sh [--if-present] VERSION... -- [PYTEST ARGUMENTS]
# A missing interpreter is an error, or passed over with --if-present; none is ever downloaded.
set -eu
cd "$(dirname "$0")/.."
export UV_PYTHON_DOWNLOADS=never
uv=.tools/bin/uv

required=yes
[ "$1" != --if-present ] || { required=no; shift; }
versions=
while [ "$#" -gt 0 ] && [ "$1" != -- ]; do
    versions="$versions $1"
    shift
done
[ "$#" -eq 0 ] || shift

find_python() {
    # A pyenv shim may exist for a version that is not switched on, so pyenv's own folders are tried before the PATH.
    for name in "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1."*/bin/python "python$1"; do
        if "$name" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" >/dev/null 2>&1; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

missing=
for version in $versions; do
    if [ -z "$(find_python "$version")" ]; then missing="$missing $version"; fi
done
if [ -n "$missing" ] && [ "$required" = yes ]; then
    echo "stanchion: no interpreter was found for Python$missing." >&2
    echo "  Install it so that python$(echo "$missing" | awk '{print $1}') is on the PATH (or with pyenv), then try again." >&2
    exit 1
fi

for version in $versions; do
    case " $missing " in *" $version "*)
        echo "== Python $version: not on this machine, passed over"
        continue
        ;;
    esac
    venv=.venvs/$version
    stamp=$venv/.stamp
    if [ ! -e "$stamp" ] || [ requirements/dev.txt -nt "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
        echo "== Python $version: installing requirements/dev.txt into $venv"
        $uv venv --quiet --clear --python "$(find_python "$version")" "$venv"
        $uv pip install --quiet --python "$venv/bin/python" --require-hashes --requirements requirements/dev.txt
        $uv pip install --quiet --python "$venv/bin/python" --no-deps --build-constraints requirements/build.txt --editable .
        touch "$stamp"
    fi
    echo "== Python $version: $venv/bin/python -m pytest $*"
    "$venv/bin/python" -m pytest "$@"
done
