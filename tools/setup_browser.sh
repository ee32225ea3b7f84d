#!/bin/sh
# Put what opens pages in Chromium, and what judges them for readers of screens, into build/browser: puppeteer-core
# and axe-core, by npm. Node.js and Chromium have to be there; CHROMIUM names the latter where it is not on the path.
set -eu
cd "$(dirname "$0")/.."

for program in node npm "${CHROMIUM:-chromium}"; do
    command -v "$program" >/dev/null || { echo "$program is needed: install it first" >&2; exit 1; }
done
if [ ! -d build/browser/node_modules/puppeteer-core ] || [ ! -d build/browser/node_modules/axe-core ]; then
    mkdir -p build/browser
    npm install --prefix build/browser --no-save --no-audit --no-fund --ignore-scripts \
        puppeteer-core@24 axe-core@4 >&2
fi
