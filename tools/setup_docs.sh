#!/bin/sh
# Bring .venv up to date, then add to it what builds the documentation: the packages of requirements-docs.txt.
# .venv/.docs records what was installed, and goes with .venv.
set -eu
cd "$(dirname "$0")/.."

tools/setup_venv.sh
packages="$(cksum <requirements-docs.txt)"
if [ ! -f .venv/.docs ] || [ "$(cat .venv/.docs)" != "$packages" ]; then
    echo "installing what builds the documentation (first time, a minute)…" >&2
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input \
        --only-binary :all: --require-hashes --requirement requirements-docs.txt
    echo "$packages" >.venv/.docs
fi
