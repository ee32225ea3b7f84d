"""Hostile input by the hundred thousand: nothing but answers and HiermodErrors, each within ten seconds.

`python -m tests.trust.fuzz` tries all that `COUNTS` says, at most an hour of it; `--seconds 60` as much as goes into a
minute; `--only csv` one subject. The exit code is 1 where another error came out, or a case took longer.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from hiermod.errors import HiermodError
from tests.trust import texts

COUNTS = {
    "formulas": 200_000, "priors": 50_000, "statements": 50_000, "toml": 5_000, "csv": 2_000, "stored": 1_000,
    "frames": 2_500,
}  # fmt: skip
SHARES = {"formulas": 15, "priors": 3, "statements": 5, "toml": 2, "csv": 8, "stored": 7, "frames": 20}  # of an hour
HOUR = 3600.0
LONGEST = 10.0  # seconds of a case
SHOWN = 5
Case = Callable[[random.Random, Path], object]


class Hung(BaseException):
    """A case took too long."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """End what takes longer."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def formula(rng: random.Random, folder: Path) -> object:
    from hiermod.formula.parser import parse

    return parse(texts.formula(rng))


def prior(rng: random.Random, folder: Path) -> object:
    from hiermod.priors.reading import read_prior

    return read_prior("x", texts.prior(rng))


def statement(rng: random.Random, folder: Path) -> object:
    from hiermod.formula.hypotheses import read_hypothesis

    return read_hypothesis(texts.statement(rng), texts.PARAMETERS)


def toml(rng: random.Random, folder: Path) -> object:
    from hiermod.cli.comparisons import from_file

    (folder / "many.toml").write_bytes(texts.toml(rng))
    names = ("family", "draws", "method", "k", "by", "stratify", "group", "score", "max_refits", "seed", "out", "fits")
    given = argparse.Namespace(data=str(folder / "many.toml"), formulas=[], **dict.fromkeys(names))
    return from_file(given)


def csv(rng: random.Random, folder: Path) -> object:
    import hiermod as hm

    (folder / "rows.csv").write_bytes(texts.csv(rng))
    return hm.model(rng.choice(["y ~ x", "y ~ .", "y ~ x + (1 | g)", "y ~ factor(x) * g"]), folder / "rows.csv")


class Stored:
    """A small stored fit, damaged; half of the damaged files are sealed again, so that their inside is read."""

    def __init__(self) -> None:
        self.bytes, self.draws = b"", None

    def __call__(self, rng: random.Random, folder: Path) -> object:
        import hiermod as hm

        path = folder / "fit.nc"
        if not self.bytes:
            fit = hm.fit("success ~ treated + (1 | country)", hm.example("country"), draws=20, tune=50, chains=2,
                         seed=1, progress=False)  # fmt: skip
            fit.save(path)
            self.bytes, self.draws = path.read_bytes(), fit.posterior
        resealed = rng.random() < 0.5
        path.write_bytes(texts.damaged(rng, self.bytes, resealed))
        loaded = hm.load(path)
        if not resealed and not loaded.posterior.identical(self.draws):
            raise AssertionError("a damaged file was loaded with other draws")
        return loaded.fixef()


def frame(rng: random.Random, folder: Path) -> object:
    import hiermod as hm

    formula, family = texts.formula_of_columns(rng)
    model = hm.model(formula, texts.frame(rng), family)
    return model.explain() if rng.random() < 0.2 else model.prior_summary()


CASES: dict[str, Case] = {
    "formulas": formula, "priors": prior, "statements": statement, "toml": toml, "csv": csv, "stored": Stored(),
    "frames": frame,
}  # fmt: skip


def tried(subject: str, seed: int, seconds: float) -> tuple[Counter[str], float, list[str]]:
    """What became of the cases of a subject, the slowest one's seconds, and the faults."""
    ends: Counter[str] = Counter()
    faults: list[str] = []
    slowest, start = 0.0, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        for number in range(COUNTS[subject]):
            if time.monotonic() - start > seconds:
                break
            begun, processor = time.monotonic(), time.process_time()
            try:
                with at_most(6 * LONGEST), contextlib.redirect_stderr(io.StringIO()):
                    CASES[subject](random.Random(f"{subject} {seed} {number}"), Path(name))
                ends["answered"] += 1
            except HiermodError:
                ends["refused"] += 1
            except (Exception, Hung, SystemExit):
                ends["FAULTS"] += 1
                faults.append(f"case {number} after {time.monotonic() - begun:.1f} s: {traceback.format_exc(limit=-3)}")
            took = time.process_time() - processor
            slowest = max(slowest, took)
            if took > LONGEST:
                ends["TOO SLOW"] += 1
                faults.append(f"case {number} took {took:.1f} s")
    return ends, slowest, faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=HOUR)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(CASES), nargs="+", default=list(CASES))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    failed = False
    whole = sum(SHARES[subject] for subject in options.only)
    for subject in options.only:
        start = time.monotonic()
        ends, slowest, faults = tried(subject, options.seed, options.seconds * SHARES[subject] / whole)
        said = ", ".join(f"{count:,} {end}" for end, count in ends.items())
        took = f"{time.monotonic() - start:.0f} s, the slowest {slowest:.2f} s"
        print(f"{subject:10} {sum(ends.values()):,} of {COUNTS[subject]:,}: {said} ({took})", flush=True)
        for fault in faults[:SHOWN]:
            print(fault, flush=True)
        failed = failed or bool(faults)
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
