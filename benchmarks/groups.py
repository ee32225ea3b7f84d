"""What the number of groups costs: models whose groups' effects are integrated out, beside lme4 on the same rows.

    python benchmarks/groups.py --sizes 10000 100000 1000000 --lme4 10000 50000

Each fit has a process of its own. CPU seconds are from a pandas frame of rows to 4,000 draws; those in front
of the plus sign are of reading and counting the rows (`hm.model`). lme4 takes nine nodes (nAGQ=9), on rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

HERE = Path(__file__).resolve().parent
LARGEST_OF_LME4 = 9  # nodes


@dataclass(frozen=True)
class Job:
    """A model and what its rows look like."""

    formula: str
    family: str
    balanced: bool = True
    continuous: bool = False
    slopes: bool = False


JOBS = {
    "logistic": Job("y ~ x + (1 | g)", "binomial"),
    "logistic, 1 to 30 visits": Job("y ~ x + (1 | g)", "binomial", balanced=False),
    "Poisson": Job("y ~ x + (1 | g)", "poisson"),
    "gaussian": Job("y ~ x + (1 | g)", "gaussian", balanced=False),
    "gaussian, slopes": Job("y ~ x + (1 + x | g)", "gaussian", continuous=True, slopes=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS), metavar="JOB")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--lme4", nargs="*", type=int, default=[10_000], help="sizes that lme4 fits, too")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(of_hiermod(JOBS[chosen.one[0]], int(chosen.one[1]))))
        return
    print("| model | groups | rows | hiermod: model + fit, CPU s | MB beyond the data | ESS | lme4, CPU s | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    for name in chosen.jobs:
        for size in chosen.sizes:
            own = in_process(name, size)
            theirs = of_lme4(JOBS[name], size) if size in chosen.lme4 else None
            total = own["model"] + own["fit"]
            beside = ("", "") if theirs is None else (f"{theirs:.1f}", f"{total / theirs:.3f}")
            costs = f"{own['model']:.2f} + {own['fit']:.2f} | {own['megabytes']:.0f} | {own['ess']:,.0f}"
            print(f"| {name} | {size:,} | {own['rows']:,} | {costs} | {beside[0]} | {beside[1]} |", flush=True)


def in_process(job: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", __file__, "--one", job, str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows_of(job: Job, size: int) -> pd.DataFrame:
    rng = np.random.default_rng(20)
    visits = np.full(size, 10) if job.balanced else rng.integers(1, 31, size)
    g = np.repeat(np.arange(size), visits)
    x = np.arange(len(g)) % 2 if job.balanced else rng.integers(0, 2, len(g))
    x = rng.normal(size=len(g)) if job.continuous else x
    eta = -0.5 + 0.4 * x + 0.7 * rng.normal(size=size)[g]
    eta = eta + 0.4 * rng.normal(size=size)[g] * x if job.slopes else eta
    if job.family == "gaussian":
        y: Any = eta + rng.normal(size=len(g))
    else:
        y = rng.poisson(np.exp(eta)) if job.family == "poisson" else rng.binomial(1, expit(eta))
    return pd.DataFrame({"y": y, "x": x, "g": g})


def of_hiermod(job: Job, size: int) -> dict[str, float]:
    """CPU seconds, and what the process grows by."""
    import hiermod as hm

    family = {"binomial": "bernoulli"}.get(job.family, job.family)
    small = rows_of(job, 1200)
    hm.fit(job.formula, small, family, seed=1, progress=False).summary()
    frame = rows_of(job, size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    model = hm.model(job.formula, frame, family)
    middle = time.process_time()
    fit = model.fit(seed=1, progress=False)
    end = time.process_time()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "model": middle - start, "fit": end - middle, "megabytes": (after - before) / 1024, "rows": len(frame),
        "ess": fit._posterior.diagnostics.ess_bulk,
    }  # fmt: skip


def of_lme4(job: Job, size: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        rows_of(job, size).to_csv(path, index=False)
        command = ["Rscript", "--vanilla", str(HERE / "groups.R"), str(path), job.formula, job.family]
        nodes = 1 if job.slopes else LARGEST_OF_LME4
        done = subprocess.run([*command, str(nodes)], check=True, capture_output=True, text=True)
    return float(done.stdout.split()[0])


if __name__ == "__main__":
    main()
