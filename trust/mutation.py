"""How many small faults of the code the tests notice: `python -m trust.mutation formula/terms.py ... [--each 100]`.

Each fault is put into one module, in a process of its own, and the tests that run the faulty line are run, the fastest
first, until one fails. Where a module has more faults than `--each`, that many are drawn at random. The table
`trust/mutation.csv` gets a line for each module; those that no test noticed are printed.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import importlib.abc
import importlib.machinery
import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from trust.lines import ROOT, Recorder
from trust.mutants import Mutant, mutants

TABLE = ROOT / "trust" / "mutation.csv"
COLUMNS = ("module", "faults", "tried", "killed", "share", "by_a_time_limit")
TESTS = {
    "formula": "formula modeling/test_language.py modeling/test_spelled_models.py",
    "priors": """priors modeling/test_user_priors.py modeling/test_priors_by_name.py modeling/test_priors_per_sd.py
        modeling/test_default_priors.py sampling/test_prior_draws.py""",
    "families": """families modeling/test_density_by_hand.py modeling/test_density_extremes.py
        answers/test_answers_of_families.py sampling/test_registered_fits.py""",
    "answers": """answers/test_decisions_on_any_draws.py answers/test_by_hand.py answers/test_existing_means.py
        answers/test_ratio_scales.py answers/test_probabilities_of_intervals.py answers/test_making_answers.py
        answers/test_verdicts.py answers/test_hypotheses.py answers/test_explained.py""",
}
HEAVY = ("numpy", "scipy.stats", "scipy.special", "scipy.optimize", "pandas", "xarray", "pyarrow", "polars", "duckdb",
         "narwhals", "hypothesis", "matplotlib.pyplot", "h5netcdf", "arviz_stats", "nutpie", "numba")  # fmt: skip
QUIET = ["-q", "-p", "no:cacheprovider", "--no-header", "--no-summary",
         "-W", "ignore::pytest.PytestAssertRewriteWarning"]  # fmt: skip
LONGEST = 60.0  # seconds that the tests of one fault may take


class Faulty(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports one module with a fault in it."""

    def __init__(self, name: str, path: Path, tree: Any) -> None:
        super().__init__(name, str(path))
        self.tree = tree

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(fullname, self, origin=self.path) if fullname == self.name else None

    def get_code(self, fullname: str) -> Any:
        return compile(self.tree, self.path, "exec")

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: Any) -> None:
        module.__file__ = self.path
        exec(self.get_code(self.name), module.__dict__)


def child(work: Any) -> tuple[int, bool]:
    """Run in a process of its own: how it ended, and whether it was stopped for its time."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        code = 99
        with contextlib.suppress(BaseException):
            code = int(work())
        os._exit(code)
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), False
        time.sleep(0.02)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -signal.SIGKILL, True


def record(tests: Sequence[str], kept: Path) -> dict[str, Any]:
    """The lines that each test runs, and its seconds; kept in a file, since it takes a run of the tests."""
    if not kept.exists():
        pid = os.fork()
        if pid == 0:
            recorder = Recorder()
            recorder.start()
            pytest.main([*tests, *QUIET], plugins=[recorder])
            lines = {
                test: sorted({f"{Path(path).relative_to(ROOT)}:{line}" for path, line in found})
                for test, found in recorder.tests.items()
            }
            kept.write_text(json.dumps({"lines": lines, "seconds": recorder.seconds}))
            os._exit(0)
        os.waitpid(pid, 0)
    return json.loads(kept.read_text())


def chosen_tests(recorded: dict[str, Any], module: str, fault: Mutant, limit: float) -> list[str]:
    """The tests that run the statement, the fastest first; all of the module's where only an import runs it."""
    wanted = {f"{module}:{line}" for line in range(fault.first, fault.last + 1)}
    seconds = recorded["seconds"]
    through = [test for test, lines in recorded["lines"].items() if wanted & set(lines)]
    through = through or [test for test, lines in recorded["lines"].items() if any(x.startswith(module) for x in lines)]
    taken, total = [], 0.0
    for test in sorted(through, key=lambda test: seconds.get(test, 0.0)):
        total += seconds.get(test, 0.0)
        if taken and total > limit:
            break
        taken.append(test)
    return taken


def notices(module: str, fault: Mutant, tests: Sequence[str]) -> tuple[bool, bool]:
    """Whether a test fails under the fault, and whether that was by its time."""

    def work() -> int:
        name = module.removesuffix(".py").replace("/", ".")
        sys.meta_path.insert(0, Faulty(name, ROOT / module, fault.tree))
        return pytest.main(["-x", *tests, *QUIET])

    code, stopped = child(work)
    return code != 0, stopped


def measure(module: str, each: int, seed: int, recorded: dict[str, Any], limit: float) -> dict[str, Any]:
    """Try the faults of one module."""
    faults = list(mutants((ROOT / module).read_text()))
    drawn = faults if len(faults) <= each else random.Random(seed).sample(faults, each)
    killed = by_time = 0
    for fault in drawn:
        tests = chosen_tests(recorded, module, fault, limit)
        noticed, stopped = notices(module, fault, tests) if tests else (False, False)
        killed, by_time = killed + noticed, by_time + stopped
        if not noticed:
            print(f"{module}:{fault.first}: {fault.before!r} -> {fault.after!r} ({len(tests)} tests)", flush=True)
    return dict(zip(COLUMNS, (module, len(faults), len(drawn), killed, f"{killed / max(len(drawn), 1):.3f}", by_time),
                    strict=True))  # fmt: skip


def write(line: dict[str, Any]) -> None:
    """Put a module's line in the table."""
    rows = {row["module"]: row for row in csv.DictReader(TABLE.open())} if TABLE.exists() else {}
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
    arguments = parser.parse_args()
    os.chdir(ROOT)
    for name in HEAVY:
        with contextlib.suppress(ImportError):
            __import__(name)
    (ROOT / "build").mkdir(exist_ok=True)
    for given in arguments.modules:
        place = ROOT / "hiermod" / given
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            if path.name == "__init__.py":
                continue
            room = path.relative_to(ROOT / "hiermod").parts[0]
            recorded = record([f"tests/{path}" for path in TESTS[room].split()], ROOT / "build" / f"lines_{room}.json")
            line = measure(str(path.relative_to(ROOT)), arguments.each, arguments.seed, recorded, arguments.limit)
            write(line)
            print(line, flush=True)


if __name__ == "__main__":
    main()
