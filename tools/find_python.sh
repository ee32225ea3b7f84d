#!/bin/sh
# Print the path of a Python that hiermod can be set up with, or say what to install.
#
# Candidates are run, not just looked up: a version manager's shim can be on PATH for a Python that is
# installed but not active, and a system Python can lack venv. The upper limit is what the locked
# packages support: PyTensor and Numba publish wheels for no newer Python.
set -u

check='
import sys
if not (3, 12) <= sys.version_info[:2] <= (3, 14):
    sys.exit(f"is Python {sys.version_info[0]}.{sys.version_info[1]}")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("has no venv or ensurepip module (Debian and Ubuntu: the python3-venv package)")
print(sys.executable)
'
rejected=''

try() {
    command -v "$1" >/dev/null 2>&1 || return 1
    if found=$("$1" -c "$check" 2>/dev/null) && [ -x "$found" ]; then
        printf '%s\n' "$found"
        exit 0
    fi
    reason=$("$1" -c "$check" 2>&1 | head -n 1)
    rejected="$rejected
  $1: ${reason:-did not run}"
    return 1
}

if [ -n "${PYTHON:-}" ]; then
    try "$PYTHON" || echo "PYTHON=$PYTHON cannot be used:${rejected:- no such command}" >&2
fi
for name in python3.13 python3.12 python3.14 python3 python; do
    try "$name"
done
if command -v pyenv >/dev/null 2>&1; then
    for version in 3.13 3.12 3.14; do
        prefix=$(pyenv prefix "$version" 2>/dev/null) && try "$prefix/bin/python"
    done
fi

{
    echo "hiermod needs Python 3.12, 3.13 or 3.14 with the venv module, and none was found."
    [ -z "$rejected" ] || echo "Looked at:$rejected"
    echo "Install one (Debian or Ubuntu: apt install python3.13 python3.13-venv; macOS: brew install"
    echo "python@3.13; pyenv: pyenv install 3.13), or name one: make setup PYTHON=path/to/python3.13"
} >&2
exit 1
