#!/bin/sh
# Make .venv fit for one purpose, with nothing on the machine but Python 3.11 or newer:
#   setup.sh demo|dev|docs    install requirements/PURPOSE.txt and this checkout (editable) into .venv
#   setup.sh uv               only fetch uv into .tools
#   setup.sh python           print the interpreter that .venv is made from
# PYTHON names the interpreter to use. Everything lands in the checkout: .tools/ (uv) and .venv/.
set -eu
cd "$(dirname "$0")/.."

# Interpreters are those of the machine, never downloaded; a foreign active environment must not be written to.
export UV_PYTHON_DOWNLOADS=never
unset VIRTUAL_ENV CONDA_PREFIX || true

say() { printf '%s\n' "$*" >&2; }
die() {
    say "stanchion: $1"
    shift
    for line in "$@"; do say "  $line"; done
    exit 1
}

find_python() {
    # 3.11 comes first: it is the version the whole suite runs on. A name may exist and not run (a pyenv shim), so each is tried.
    for name in ${PYTHON:-} python3.11 python3 python3.12 python3.13 python3.14 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
        [ "$name" != "${PYTHON:-}" ] || die "PYTHON=$PYTHON is not a working Python 3.11 or newer."
    done
    die "no Python 3.11 or newer was found." \
        "Install one (on Debian or Ubuntu: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3.11 …"
}

uv=.tools/bin/uv

fetch_uv() {
    if [ -e .tools/uv.stamp ] && cmp -s .tools/uv.stamp requirements/uv.txt && [ -x $uv ]; then return; fi
    python=$(find_python)
    say "stanchion: fetching uv (pinned, hashed) into .tools/"
    rm -rf .tools
    mkdir -p .tools
    set -- install --quiet --quiet --disable-pip-version-check --no-warn-script-location --no-compile --require-hashes \
        --only-binary :all: --requirement requirements/uv.txt
    if "$python" -m pip --version >/dev/null 2>&1; then
        PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_ROOT_USER_ACTION=ignore "$python" -m pip "$@" --target .tools
    elif "$python" -c 'import ensurepip' >/dev/null 2>&1; then
        "$python" -m venv .tools/venv
        .tools/venv/bin/python -m pip "$@"
        mkdir .tools/bin
        mv .tools/venv/bin/uv .tools/bin/uv
        rm -rf .tools/venv
    else
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        die "$python has neither pip nor ensurepip, so nothing can be installed with it." \
            "On Debian or Ubuntu: apt-get install python$version-venv (or python3-venv for the system's Python), then try again." \
            "Or name another interpreter: make PYTHON=/path/to/python3.11 …"
    fi
    [ -x $uv ] || die "uv was installed but $uv is not there." "Remove .tools/ and try again."
    cp requirements/uv.txt .tools/uv.stamp
}

make_venv() {
    if [ -x .venv/bin/python ] && .venv/bin/python -c '' >/dev/null 2>&1; then return; fi
    python=$(find_python)
    $uv venv --quiet --clear --python "$python" .venv
}

install() {
    say "stanchion: installing requirements/$1.txt into .venv"
    $uv pip install --quiet --python .venv/bin/python --require-hashes --requirements "requirements/$1.txt"
    # The build tools are locked too: the checkout is built with exactly what build.txt names.
    $uv pip install --quiet --python .venv/bin/python --no-deps --build-constraints requirements/build.txt --editable .
}

case "${1:-}" in
    uv) fetch_uv ;;
    python) find_python ;;
    demo | dev | docs)
        stamp=.venv/.stamp-$1
        fetch_uv
        make_venv
        install "$1"
        touch "$stamp"
        # dev.txt holds all of demo.txt, so one install answers for both.
        [ "$1" != dev ] || touch .venv/.stamp-demo
        ;;
    *) die "usage: scripts/setup.sh demo|dev|docs|uv|python" ;;
esac
