"""CPU seconds from the start of a process to the printed answer of its first fit, compiled before or not.

    python benchmarks/cold_start.py --repeat 5 --before REF

What is fitted first comes from an installed wheel in an environment of its own (`tools/check_wheel.py`), from a clone
as `make setup` leaves it, and from a clone whose kernels were edited. All take turns; the least of each is shown. Each
turn that compiles has an empty cache. Seconds are those of the processor, of the process and of those that it starts,
since a fit waits for nothing else; other work on the machine still makes them longer.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIT = """
import hiermod as hm
fit = hm.fit("success ~ treated + (1 + treated | country)", hm.example("country"), seed=1, progress=False)
print(fit.effect("treated", by="country"))
"""
FAMILY = """
import numpy as np
import pandas as pd
import hiermod as hm
random = np.random.default_rng(1)
rows = pd.DataFrame({{"x": np.tile([0, 1], 50), "g": np.repeat(np.arange(10), 10)}})
rows["n"] = random.integers(5, 20, 100)
rows["s"], rows["o"] = random.binomial(rows.n, 0.4), random.binomial(rows.n, random.beta(4, 6, 100))
rows["c"], rows["y"] = random.negative_binomial(3, 0.4, 100), random.standard_t(5, 100).round(2)
rows["p"] = random.gamma(3.0, size=100).round(2) + 0.01
fit = hm.fit("{response} ~ x + (1 | g)", rows, "{family}", seed=1, progress=False)
print(fit.effect("x"))
"""
FAMILIES = {
    "binomial(logit)": "s/n", "binomial(probit)": "s/n", "binomial(cloglog)": "s/n", "beta_binomial": "o/n",
    "poisson": "c", "negbinomial": "c", "gaussian": "y", "student": "y", "gamma": "p", "lognormal": "p",
}  # fmt: skip
KERNEL = "hiermod/engine/kernels/rows/families.py"  # which is edited
WARM_UP = "from hiermod.cli import main; main(['warmup'])"


@dataclass(frozen=True)
class Contender:
    """A program, an interpreter, the tree that it imports hiermod from (None: installed), and its cache."""

    name: str
    code: str
    python: Path
    tree: Path | None = None
    cache: Path | None = None  # None: an empty one each time
    prepare: Callable[[Path], None] | None = None  # what is done to the empty cache, untimed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=5, help="turns of each")
    parser.add_argument("--before", metavar="REF", help="an earlier state of this repository to measure beside it")
    parser.add_argument("--only", metavar="WORD", help="only what has this word in its name")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hiermod-cold-") as folder:
        everyone = contenders(Path(folder), chosen.before)
        named = [each for each in everyone if chosen.only is None or chosen.only in each.name]
        seconds: dict[str, list[float]] = {each.name: [] for each in named}
        for turn in range(chosen.repeat):
            for each in named:
                seconds[each.name].append(measured(each))
                print(f"turn {turn + 1}: {each.name}: {seconds[each.name][-1]:.2f}", file=sys.stderr, flush=True)
    print("| | CPU seconds, least | most |\n|---|---|---|")
    for name, times in seconds.items():
        print(f"| {name} | {min(times):.2f} | {max(times):.2f} |")


def contenders(folder: Path, before: str | None) -> Iterator[Contender]:
    """Trees, environments and caches of all."""
    here, python = folder / "wheel", Path(sys.executable)
    subprocess.run([python, ROOT / "tools" / "check_wheel.py", "--out", here], check=True)
    installed = here / "venv" / "bin" / "python"
    yield Contender("wheel: first fit", FIT, installed)
    warm = warmed(folder / "warm", installed, None)
    yield Contender("wheel: later process", FIT, installed, cache=warm)
    for family, response in FAMILIES.items():
        yield Contender(f"wheel: first fit, {family}", FAMILY.format(family=family, response=response), installed)
    yield Contender(
        "wheel: hiermod fit, 400 rows of CSV", command(folder / "rows.csv", installed), installed, cache=warm
    )
    clone = tree(folder / "clone", "HEAD")
    of_setup = warmed(folder / "of-setup", python, clone)
    yield Contender("clone after make setup: first fit", FIT, python, clone, of_setup)
    edited = tree(folder / "edited", "HEAD")
    with open(edited / KERNEL, "a", encoding="utf-8") as file:
        file.write("# edited\n")
    yield Contender("edited sources: first fit", FIT, python, edited)
    yield Contender("one kernel edited: first fit", FIT, python, edited, prepare=partial(shutil.copytree, of_setup))
    if before:
        old = tree(folder / "before", before)
        yield Contender(f"before ({before}): first fit", FIT, python, old)
        yield Contender(f"before ({before}): later process", FIT, python, old, warmed(folder / "old", python, old))


def command(file: Path, python: Path) -> str:
    """What the command line runs, on the same rows."""
    rows = f"import hiermod; hiermod.example('country').to_csv({str(file)!r}, index=False)"
    subprocess.run([python, "-c", rows], env=environment(file.parent, None), cwd=file.parent, check=True)
    words = ["fit", str(file), "success ~ treated + (1 + treated | country)"]
    return f"import sys; from hiermod.cli import main; sys.exit(main({words!r}))"


def tree(folder: Path, ref: str) -> Path:
    """The package as it was committed."""
    packed = subprocess.run(["git", "archive", ref, "hiermod"], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    compileall.compile_dir(folder, quiet=1)
    return folder


def warmed(cache: Path, python: Path, imported: Path | None) -> Path:
    """A cache in which the engine is compiled."""
    subprocess.run([python, "-c", WARM_UP], env=environment(cache, imported), cwd=cache.parent, check=True)
    return cache


def environment(cache: Path, imported: Path | None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"HIERMOD_CACHE_DIR": str(cache)} | ({"PYTHONPATH": str(imported)} if imported else {})


def measured(contender: Contender) -> float:
    """CPU seconds of one process, its own and of those that it waited for."""
    with emptied(contender) as cache, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [contender.python, "-c", contender.code],
            env=environment(cache, contender.tree), cwd=cache.parent, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{contender.name} failed:\n{said.read().decode()}")
    return used.ru_utime + used.ru_stime


@contextmanager
def emptied(contender: Contender) -> Iterator[Path]:
    """The contender's cache, or a new one."""
    if contender.cache is not None:
        yield contender.cache
        return
    folder = Path(tempfile.mkdtemp(prefix="hiermod-cache-"))
    try:
        if contender.prepare is not None:
            contender.prepare(folder / "cache")
        yield folder / "cache"
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
