#!/bin/sh
# Make or bring up to date .venv: the packages of requirements-dev.txt, hiermod itself, editable, and its
# compiled engine.
#
# .venv/.packages, .venv/.ready and .venv/.engine record what was made, written only after it has succeeded. A
# half-made .venv therefore has no record and is made again, as is one whose lock has changed or whose
# folder has moved (a virtual environment holds absolute paths).
set -eu
cd "$(dirname "$0")/.."

say() { echo "$*" >&2; }
recorded() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

packages="$(pwd) $(cksum <requirements-dev.txt)"
project="$(cat pyproject.toml tools/hatch_build.py | cksum)"
engine="$(find hiermod/engine/kernels hiermod/engine/build -name '*.py' | LC_ALL=C sort | xargs cat | cksum)"

# Errors only: a machine's own pip settings can otherwise print a warning per package.
pip() { .venv/bin/python -m pip "$@" -qq --disable-pip-version-check --no-input; }

if ! recorded .venv/.packages "$packages" || ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(tools/find_python.sh)
    say "setting up .venv with $("$python" --version) (first time, a few minutes)…"
    "$python" -m venv --clear .venv
    say "installing the locked packages of requirements-dev.txt…"
    pip install --only-binary :all: --require-hashes --requirement requirements-dev.txt
    echo "$packages" >.venv/.packages
fi

if ! recorded .venv/.ready "$project"; then
    say "installing hiermod itself, editable, and lowering its engine…"
    pip install --no-deps --no-build-isolation --editable .
    echo "$project" >.venv/.ready
    say ".venv is ready"
fi

if ! recorded .venv/.engine "$engine"; then
    .venv/bin/hiermod warmup >&2
    echo "$engine" >.venv/.engine
fi
