"""How many small faults of the code the tests notice.

    python -m tests.trust.mutation formula/terms.py ... [--each 100] [--again]

Each fault is put into one module, in a process of its own, and the tests that run the faulty line are run, the fastest
first, until one fails. Where a module has more faults than `--each`, that many are drawn at random. The table
`tests/trust/mutation.csv` gets a line for each module; those that no test noticed are printed. Faults that change
nothing that could be noticed stand with the reason in `tests/trust/equivalent.csv`: a module, a line of it, what is put
for what. They are counted, and not tried.

With `--again`, after tests were added and the package is as it was, only those faults are tried that no test noticed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import csv
import gc
import hashlib
import json
import math
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence, Set
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
EQUIVALENT = ROOT / "tests" / "trust" / "equivalent.csv"
COLUMNS = ("module", "faults", "tried", "equivalent", "killed", "share", "by_a_time_limit")
TESTS = {
    "formula": "formula modeling/test_language.py modeling/test_spelled_models.py",
    "priors": """priors modeling/test_user_priors.py modeling/test_priors_by_name.py modeling/test_priors_per_sd.py
        modeling/test_default_priors.py modeling/test_shrinkage.py sampling/test_prior_draws.py""",
    "families": """families modeling/test_density_by_hand.py modeling/test_density_extremes.py
        modeling/test_categories.py modeling/test_bounds.py modeling/test_zeros_of_their_own.py
        modeling/test_glmmtmb_arguments.py modeling/test_rate_of_counts.py data/test_data_refusals.py
        answers/test_answers_of_families.py answers/test_answers_of_categories.py answers/test_zeros_in_answers.py
        answers/test_loo_of_categories_and_bounds.py answers/test_outcomes.py sampling/test_registered_fits.py""",
    "answers": """answers/test_decisions_on_any_draws.py answers/test_log_means_exact.py answers/test_by_hand.py
        answers/test_existing_means.py answers/test_ratio_scales.py answers/test_probabilities_of_intervals.py
        answers/test_making_answers.py answers/test_scales_of_answers.py answers/test_population_means.py
        answers/test_grids_and_contrasts.py
        answers/test_verdicts.py answers/test_hypotheses.py answers/test_explained.py""",
}
QUIET = ["-q", "-p", "no:cacheprovider", "--no-header", "--no-summary"]
LONGEST = 60.0  # seconds of a processor that the tests of one fault may take
FAULTY, SOUND, BROKEN = 1, 0, 2  # how a process ends


class Trials:
    """A pytest plugin: in place of running the tests that were collected, it tries faults, each in a process."""

    def __init__(
        self, modules: Sequence[str], kept: Path, each: int, seed: int, limit: float, again: bool
    ) -> None:  # fmt: skip
        self.modules, self.kept, self.each, self.seed, self.limit = modules, kept, each, seed, limit
        self.ends = kept.with_name(kept.name.replace("lines", f"ends_{each}_{seed}"))  # how trials ended, by module
        self.again: dict[str, dict[str, bool]] = read_kept(self.ends) if again else {}
        self.equivalent = {tuple(row[:4]) for row in csv.reader(EQUIVALENT.read_text().splitlines()[1:])}
        self.lines: dict[str, set[str]] = {}
        self.seconds: dict[str, float] = {}  # of tests without their fixtures
        self.fixtures: dict[str, float] = {}  # seconds that it takes to set each up
        self.setting_up = 0.0  # seconds of them during one test

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Record once what each test runs, then try the faults of each module."""
        self.items = {item.nodeid: item for item in session.items}
        self._read_record()
        if any(test not in self.seconds for test in self.items):
            in_another_process(self._record, 3600.0)
            self._read_record()
        functions = functions_by_place()
        for module in self.modules:
            line = self._measured(module, functions)
            write(line)
            print(line, flush=True)
        return True

    def _read_record(self) -> None:
        if recorded := read_kept(self.kept):
            self.lines = {test: set(lines) for test, lines in recorded["lines"].items() if test in self.items}
            self.seconds, self.fixtures = recorded["seconds"], recorded["fixtures"]

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[object]:
        """Time a fixture: the process of a fault sets it up anew for the first test that asks for it."""
        start = time.process_time()
        result = yield
        taken = time.process_time() - start
        self.fixtures[fixturedef.argname] = max(taken, self.fixtures.get(fixturedef.argname, 0.0))
        self.setting_up += taken
        return result

    def _record(self) -> int:
        """Record those tests that are new."""
        recorder = Recorder()
        recorder.start()
        for item, following in pairwise([*(self.items[test] for test in self.items if test not in self.seconds), None]):
            assert item is not None
            recorder.begin(item.nodeid)
            start, self.setting_up = time.process_time(), 0.0
            if failed(item, following):
                del recorder.tests[item.nodeid]  # by itself: it tells nothing
                print(f"fails without a fault: {item.nodeid}", file=sys.stderr)
            recorder.seconds[item.nodeid] = time.process_time() - start - self.setting_up
        lines = {
            test: {f"{Path(path).relative_to(ROOT)}:{line}" for path, line in found}
            for test, found in recorder.tests.items()
        }
        everything = {"lines": {**self.lines, **lines}, "seconds": {**self.seconds, **recorder.seconds}}
        self.kept.write_text(json.dumps({**everything, "fixtures": self.fixtures}, default=sorted))
        return SOUND

    def _chosen(self, module: str, statement: range) -> tuple[list[pytest.Item], float]:
        """The tests that run the statement, the fastest first; where only an import does, all in files of its file's.

        With them the seconds that they take, each fixture once.
        """
        wanted = {f"{module}:{line}" for line in statement}
        through = [test for test, lines in self.lines.items() if not wanted.isdisjoint(lines)]
        if not through:
            of_file = [test for test, lines in self.lines.items() if any(line.startswith(module) for line in lines)]
            files = set(map(_file, of_file))
            through = [test for test in self.lines if _file(test) in files]
        through = through or list(self.lines)  # a file of names alone has no lines that run
        taken: list[pytest.Item] = []
        total, there = 0.0, set[str]()
        for test in sorted(through, key=lambda test: self._cost(test, frozenset())):
            cost = self._cost(test, there)
            if taken and total + cost > self.limit:
                continue
            total += cost
            there.update(self.items[test].fixturenames)
            taken.append(self.items[test])
        return taken, total

    def _cost(self, test: str, there: Set[str]) -> float:
        """Seconds of a test and of those of its fixtures that are not there yet."""
        fixtures = set(self.items[test].fixturenames) - there
        return self.seconds[test] + sum(self.fixtures.get(fixture, 0.0) for fixture in fixtures)

    def _confused(self, module: str) -> set[str]:
        """The tests that fail where a sound file is run again, since they hold objects of the first run."""
        with tempfile.NamedTemporaryFile("w+") as file:
            tests, _ = self._chosen(module, range(0))
            in_another_process(partial(write_confused, module, tests, file.name), 10.0 * LONGEST)
            return set(file.read().split("\n"))

    def _measured(self, module: str, functions: Places) -> dict[str, Any]:
        faults = list(mutants((ROOT / module).read_text()))
        drawn = self._drawn(module, faults)
        confused, before = self._confused(module), self.again.get(module, {})
        noticed = {number: before[str(number)] for number in drawn if str(number) in before}
        for number in drawn:
            if number in noticed:
                continue
            fault = faults[number]
            tests, seconds = self._chosen(module, range(fault.first, fault.last + 1))
            longest = min(LONGEST, 5.0 + 3.0 * seconds)
            code, stopped = in_another_process(partial(tried, module, fault, tests, functions, confused), longest)
            if code != SOUND:
                noticed[number] = stopped
            else:
                print(f"{module}:{fault.first}: {fault.before!r} -> {fault.after!r} ({len(tests)} tests)", flush=True)
        self._keep(module, noticed)
        share = f"{len(noticed) / max(len(drawn), 1):.3f}"
        row = (module, len(faults), len(drawn), min(len(faults), self.each) - len(drawn), len(noticed), share)
        return dict(zip(COLUMNS, (*row, sum(noticed.values())), strict=True))

    def _drawn(self, module: str, faults: Sequence[Mutant]) -> list[int]:
        """The numbers of faults to try: so many at random, without those that change nothing."""
        lines, numbers = (ROOT / module).read_text().splitlines(), range(len(faults))
        drawn = list(numbers) if len(faults) <= self.each else random.Random(self.seed).sample(numbers, self.each)
        keys = {n: (module, lines[faults[n].first - 1].strip(), faults[n].before, faults[n].after) for n in drawn}
        return [number for number in drawn if keys[number] not in self.equivalent]

    def _keep(self, module: str, noticed: dict[int, bool]) -> None:
        """Keep which faults were noticed, and whether by a time limit."""
        self.ends.write_text(json.dumps({**read_kept(self.ends), module: noticed}))


def _file(test: str) -> str:
    return test.partition("::")[0]


def read_kept(path: Path) -> dict[str, Any]:
    """What was kept in a file; nothing where there is none."""
    return json.loads(path.read_text()) if path.exists() else {}


def failed(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Whether a test fails, its fixtures included."""
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def tried(
    module: str, fault: Mutant, tests: Sequence[pytest.Item], functions: Places, confused: set[str]
) -> int:  # fmt: skip
    """Put the fault in and run the tests until one fails."""
    ran_again = put_in(module, fault, functions)
    fit = [test for test in tests if not (ran_again and test.nodeid in confused)]
    return FAULTY if next(failing(fit), None) else SOUND


def failing(tests: Sequence[pytest.Item]) -> Iterator[str]:
    """The names of tests that fail."""
    for item, following in pairwise([*tests, None]):
        if item is not None and failed(item, following):
            yield item.nodeid


def write_confused(module: str, tests: Sequence[pytest.Item], path: str) -> int:
    """Run a file again as it is, and write down the tests that fail."""
    whole = compile((ROOT / module).read_text(), str(ROOT / module), "exec")
    run_again(whole, sys.modules[name_of(module)].__dict__)
    Path(path).write_text("\n".join(failing(tests)))
    return SOUND


def name_of(module: str) -> str:
    """The name by which a file is imported."""
    return module.removesuffix(".py").replace("/", ".")


Place = tuple[str, str, int, int]
Places = dict[Place, list[FunctionType]]


def place_of(code: CodeType) -> Place:
    """The file, name, line and column of a function; several lambdas may stand in one line."""
    column = min((column for line, _, column, _ in code.co_positions() if line and column), default=0)
    return code.co_filename, code.co_qualname, code.co_firstlineno, column


def functions_by_place() -> Places:
    """The functions of the package that there are, by their places."""
    found: Places = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(str(ROOT / "hiermod")):
            found.setdefault(place_of(each.__code__), []).append(each)
    return found


def put_in(module: str, fault: Mutant, functions: Places) -> bool:
    """Change the code of functions in place, for all who hold them; run a whole file again where it is in none.

    Returns
    -------
    bool
        Whether the file was run again.
    """
    path = str(ROOT / module)
    whole = compile(fault.tree, path, "exec")
    old = compile(ast.parse((ROOT / module).read_text()), path, "exec")
    before = {place_of(code): code for code in code_objects(old)}
    changed = False
    for code in code_objects(whole):
        place = place_of(code)
        if code != before.get(place) and place in functions:
            for function in functions[place]:
                function.__code__ = code
                changed = True
    if not changed:
        run_again(whole, sys.modules[name_of(module)].__dict__)
    return not changed


def run_again(whole: CodeType, names: dict[str, Any]) -> None:
    """Run a file again; who took something from it by name, or into a table, gets the new one."""
    before = dict(names)
    exec(whole, names)
    renewed = {id(old): names[name] for name, old in before.items() if names.get(name) is not old}
    for held in [vars(each) for each in list(sys.modules.values()) if hasattr(each, "__dict__")]:
        if held is not names:
            for name, value in list(held.items()):
                if id(value) in renewed:
                    held[name] = renewed[id(value)]
                elif type(value) is dict and not name.startswith("__"):
                    renewed_items = {
                        key: renewed[id(item)]
                        for key, item in value.items()
                        if id(item) in renewed and not isinstance(item, str | int | float)
                    }
                    value.update(renewed_items)


def in_another_process(work: Callable[[], int], longest: float) -> tuple[int, bool]:
    """How it ends there, and whether it was stopped: for its time of the processor, or waiting ten times as long."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(longest), math.ceil(longest)))
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        code = BROKEN
        with contextlib.suppress(BaseException):
            code = work()
        os._exit(code)
    end = time.monotonic() + 10.0 * longest
    while time.monotonic() < end:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code, code in (-signal.SIGXCPU, -signal.SIGKILL)
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
        table = csv.DictWriter(file, COLUMNS, restval="0", lineterminator="\n")
        table.writeheader()
        table.writerows(rows[module] for module in sorted(rows))


def fingerprint() -> str:
    """What tells the package as it is from any other: lines that tests run are of these files alone."""
    files = sorted((ROOT / "hiermod").rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="+", help="files or folders under hiermod/")
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=20.0, help="seconds of tests for one fault")
    parser.add_argument("--again", action="store_true", help="try those alone that no test noticed last time")
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
        kept = ROOT / "build" / f"lines_{room}_{fingerprint()}.json"
        trials = Trials(modules, kept, options.each, options.seed, options.limit, options.again)
        pytest.main([*tests, *QUIET], plugins=[trials])


if __name__ == "__main__":
    main()
