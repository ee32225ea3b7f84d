#!/bin/sh
# Write requirements-dev.txt, requirements.txt, requirements-spark.txt and requirements-docs.txt from
# pyproject.toml, with hashes, for every platform.
#
# Versions already locked are kept where they still fit; pass --upgrade to take the newest. The others are
# constrained by the development lock, so that they never disagree with it on a version; those of Spark and of
# the documentation hold only what these need on top of it.
set -eu
cd "$(dirname "$0")/.."

python=$(tools/find_python.sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
echo "installing uv into a throwaway environment…" >&2
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install -qq --disable-pip-version-check --no-input 'uv>=0.13,<0.14'

compile() {
    "$work/venv/bin/uv" pip compile pyproject.toml --quiet --python "$python" \
        --universal --python-version 3.12 --fork-strategy fewest \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-build-options \
        --custom-compile-command 'make lock' "$@" >/dev/null
}
echo "resolving…" >&2
compile --extra dev --no-emit-package hiermod --output-file requirements-dev.txt "$@"
compile --constraint requirements-dev.txt --output-file "$work/requirements.txt"
sed '/#   -c requirements-dev.txt$/d' "$work/requirements.txt" >requirements.txt
for extra in spark docs; do
    [ -f "requirements-$extra.txt" ] && cp "requirements-$extra.txt" "$work/requirements-$extra.txt"
    compile --extra "$extra" --constraint requirements-dev.txt --output-file "$work/requirements-$extra.txt" "$@"
    awk '/^[^ #]/ { keep(); block = ""; locked = 0 } { block = block $0 "\n" } /#   -c requirements-dev.txt$/ { locked = 1 }
        function keep() { if (!locked) printf "%s", block } END { keep() }' \
        "$work/requirements-$extra.txt" >"requirements-$extra.txt"
done
