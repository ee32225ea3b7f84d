"""Which lines of formula, data, modeling and answers the tests run: at least 95 of 100, or exit code 1.

`python -m tests.trust.coverage` runs the default tests; with paths, those. Lines that only other processes run are not
seen.
"""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from tests.trust.lines import ROOT, Recorder, executable_lines

ROOMS = ("formula", "data", "modeling", "answers")
LEAST = 0.95


def main() -> None:
    recorder = Recorder()
    recorder.start()
    tests = sys.argv[1:] or ["tests"]
    pytest.main([*tests, "-q", "-p", "no:cacheprovider"], plugins=[recorder])
    ran = recorder.lines()
    there: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for room in ROOMS:
        for path in sorted((ROOT / "hiermod" / room).rglob("*.py")):
            lines = executable_lines(path)
            missed = sorted(line for line in lines if (str(path), line) not in ran)
            there[room] += len(lines)
            covered[room] += len(lines) - len(missed)
            if missed:
                print(f"{path.relative_to(ROOT)}: {', '.join(map(str, missed))}")
    print()
    for room in ROOMS:
        print(f"{room:10} {covered[room] / there[room]:.1%} of {there[room]:,} lines")
    sys.exit(int(any(covered[room] < LEAST * there[room] for room in ROOMS)))


if __name__ == "__main__":
    main()
