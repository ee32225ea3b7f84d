"""How many small faults of the code the tests notice.

    python -m tests.trust.mutation formula/terms.py ... [--each 100]

Each fault is put into one module, in a process of its own, and the tests that run the faulty line are run, the fastest
first, until one fails. Where a module has more faults than `--each`, that many are drawn at random. The table
`tests/trust/mutation.csv` gets a line for each module; those that no test noticed are printed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import csv
import gc
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.trust.lines import ROOT, Recorder, code_objects
from tests.trust.mutants import Mutant, mutants

TABLE = ROOT / "tests" / "trust" / "mutation.csv"
COLUMNS = ("module", "faults", "tried", "killed", "share", "by_a_time_limit")
TESTS = {
    "formula": "formula modeling/test_language.py modeling/test_spelled_models.py",
    "priors": """priors modeling/test_user_priors.py modeling/test_priors_by_name.py modeling/test_priors_per_sd.py
        modeling/test_default_priors.py sampling/test_prior_draws.py""",
    "families": """families modeling/test_density_by_hand.py modeling/test_density_extremes.py
        answers/test_answers_of_families.py sampling/test_registered_fits.py""",
    "answers": """answers/test_decisions_on_any_draws.py answers/test_log_means_exact.py answers/test_by_hand.py
        answers/test_existing_means.py answers/test_ratio_scales.py answers/test_probabilities_of_intervals.py
        answers/test_making_answers.py
        answers/test_verdicts.py answers/test_hypotheses.py answers/test_explained.py""",
}
QUIET = ["-q", "-p", "no:cacheprovider", "--no-header", "--no-summary"]
LONGEST = 60.0  # seconds that the tests of one fault may take
FAULTY, SOUND, BROKEN = 1, 0, 2  # how a process ends


class Trials:
    """A pytest plugin: in place of running the tests that were collected, it tries faults, each in a process."""

    def __init__(self, modules: Sequence[str], kept: Path, each: int, seed: int, limit: float) -> None:
        self.modules, self.kept, self.each, self.seed, self.limit = modules, kept, each, seed, limit
        self.lines: dict[str, list[str]] = {}
        self.seconds: dict[str, float] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record once what each test runs, then try the faults of each module."""
        self.items = {item.nodeid: item for item in session.items}
        if not self.kept.exists():
            in_another_process(self._record, 3600.0)
        recorded = json.loads(self.kept.read_text())
        self.lines, self.seconds = recorded["lines"], recorded["seconds"]
        functions = functions_by_place()
        for module in self.modules:
            line = self._measured(module, functions)
            write(line)
            print(line, flush=True)
        return True

    def _record(self) -> int:
        recorder = Recorder()
        recorder.start()
        for item, following in pairwise([*self.items.values(), None]):
            recorder.begin(item.nodeid)
            start = time.monotonic()
            if failed(item, following):
                del recorder.tests[item.nodeid]  # by itself: it tells nothing
                print(f"fails without a fault: {item.nodeid}", file=sys.stderr)
            recorder.seconds[item.nodeid] = time.monotonic() - start
        lines = {
            test: sorted(f"{Path(path).relative_to(ROOT)}:{line}" for path, line in found)
            for test, found in recorder.tests.items()
        }
        self.kept.write_text(json.dumps({"lines": lines, "seconds": recorder.seconds}))
        return SOUND

    def _chosen(self, module: str, fault: Mutant) -> list[pytest.Item]:
        """The tests that run the statement, the fastest first; those that run its file where only an import does."""
        wanted = {f"{module}:{line}" for line in range(fault.first, fault.last + 1)}
        through = [test for test, lines in self.lines.items() if wanted & set(lines)]
        through = through or [test for test, lines in self.lines.items() if any(x.startswith(module) for x in lines)]
        taken, total = [], 0.0
        for test in sorted(through, key=lambda test: self.seconds[test]):
            total += self.seconds[test]
            if taken and total > self.limit:
                break
            taken.append(self.items[test])
        return taken

    def _measured(self, module: str, functions: Places) -> dict[str, Any]:
        faults = list(mutants((ROOT / module).read_text()))
        drawn = faults if len(faults) <= self.each else random.Random(self.seed).sample(faults, self.each)
        killed = by_time = 0
        for fault in drawn:
            tests = self._chosen(module, fault)
            code, stopped = in_another_process(partial(tried, module, fault, tests, functions), LONGEST)
            noticed = code != SOUND
            killed, by_time = killed + noticed, by_time + stopped
            if not noticed:
                print(f"{module}:{fault.first}: {fault.before!r} -> {fault.after!r} ({len(tests)} tests)", flush=True)
        share = f"{killed / max(len(drawn), 1):.3f}"
        return dict(zip(COLUMNS, (module, len(faults), len(drawn), killed, share, by_time), strict=True))


def failed(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Whether a test fails, its fixtures included."""
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def tried(module: str, fault: Mutant, tests: Sequence[pytest.Item], functions: Places) -> int:
    """Put the fault in and run the tests until one fails."""
    put_in(module, fault, functions)
    for item, following in pairwise([*tests, None]):
        assert item is not None
        if failed(item, following):
            return FAULTY
    return SOUND


Places = dict[tuple[str, str, int], list[FunctionType]]


def functions_by_place() -> Places:
    """The functions of the package that there are, by file, name and line."""
    found: Places = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(str(ROOT / "hiermod")):
            code = each.__code__
            found.setdefault((code.co_filename, code.co_qualname, code.co_firstlineno), []).append(each)
    return found


def put_in(module: str, fault: Mutant, functions: Places) -> None:
    """Change the code of functions in place, for all who hold them; of a whole file where the fault is in none."""
    path = str(ROOT / module)
    whole = compile(fault.tree, path, "exec")
    old = compile(ast.parse((ROOT / module).read_text()), path, "exec")
    before = {(code.co_qualname, code.co_firstlineno): code for code in code_objects(old)}
    changed = False
    for code in code_objects(whole):
        place = (code.co_qualname, code.co_firstlineno)
        if code != before.get(place) and (path, *place) in functions:
            for function in functions[path, *place]:
                function.__code__ = code
                changed = True
    if not changed:
        run_again(whole, sys.modules[module.removesuffix(".py").replace("/", ".")].__dict__)


def run_again(whole: CodeType, names: dict[str, Any]) -> None:
    """Run a file again; who took something from it by name gets the new one."""
    before = dict(names)
    exec(whole, names)
    renewed = {id(old): names[name] for name, old in before.items() if names.get(name) is not old}
    for held in [vars(each) for each in list(sys.modules.values()) if hasattr(each, "__dict__")]:
        if held is not names:
            for name, value in list(held.items()):
                if id(value) in renewed:
                    held[name] = renewed[id(value)]


def in_another_process(work: Callable[[], int], longest: float) -> tuple[int, bool]:
    """How it ends there, and whether it was stopped for its time."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        code = BROKEN
        with contextlib.suppress(BaseException):
            code = work()
        os._exit(code)
    end = time.monotonic() + longest
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), False
        time.sleep(0.01)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -signal.SIGKILL, True


def write(line: dict[str, Any]) -> None:
    """Put a module's line in the table."""
    lines = TABLE.read_text().splitlines() if TABLE.exists() else []
    rows: dict[str, Any] = {row["module"]: row for row in csv.DictReader(lines)}
    rows[line["module"]] = line
    with TABLE.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows[module] for module in sorted(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="+", help="files or folders under hiermod/")
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=20.0, help="seconds of tests for one fault")
    options = parser.parse_args()
    os.chdir(ROOT)
    (ROOT / "build").mkdir(exist_ok=True)
    rooms: dict[str, list[str]] = {}
    for given in options.modules:
        place = ROOT / "hiermod" / given
        for path in sorted(place.glob("*.py")) if place.is_dir() else [place]:
            if path.name != "__init__.py":
                rooms.setdefault(path.relative_to(ROOT / "hiermod").parts[0], []).append(str(path.relative_to(ROOT)))
    for room, modules in rooms.items():
        tests = [f"tests/{path}" for path in TESTS[room].split()]
        trials = Trials(modules, ROOT / "build" / f"lines_{room}.json", options.each, options.seed, options.limit)
        pytest.main([*tests, *QUIET], plugins=[trials])


if __name__ == "__main__":
    main()
