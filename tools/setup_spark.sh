#!/bin/sh
# Bring .venv up to date, then add Spark to it: the packages of requirements-spark.txt. Java has to be there.
#
# PySpark comes as source alone, half a gigabyte, so `make test` does without it. It is built with the
# setuptools of .venv, so that nothing is installed unhashed. .venv/.spark records what was installed, and
# goes with .venv.
set -eu
cd "$(dirname "$0")/.."

if ! "${JAVA_HOME:+$JAVA_HOME/bin/}java" -version >/dev/null 2>&1; then
    echo "Spark needs Java 17 or newer: install one (Debian or Ubuntu: apt install openjdk-17-jre-headless;" >&2
    echo "macOS: brew install openjdk@17), or name the folder of one in JAVA_HOME" >&2
    exit 1
fi

tools/setup_venv.sh
packages="$(cksum <requirements-spark.txt)"
if [ ! -f .venv/.spark ] || [ "$(cat .venv/.spark)" != "$packages" ]; then
    echo "installing Spark (first time, a minute or two)…" >&2
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input \
        --no-build-isolation --require-hashes --requirement requirements-spark.txt
    echo "$packages" >.venv/.spark
fi
