"""Ten folds of the country experiment, by hiermod and by Bambi, each in a process of its own.

    python benchmarks/folds.py

After a fit that warms it up, each program leaves out ten folds of forty rows in turn, fits the rest and scores what it
left out. hiermod shares rows of a cell among folds; Bambi gets rows as they are, the same number in each fold.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jobs import BAMBI, CHAINS, DRAWS, JOBS
from programs import ENVIRONMENT, count_cores
from python_peers import bambi_model, sample_bambi, seconds_of
from sets import shipped

FOLDS, REPEAT = 10, 5
JOB = JOBS["country"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--peers", nargs="*", choices=BAMBI, default=list(BAMBI), metavar="PROGRAM", help=", ".join(BAMBI)
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="where folds.json is written")
    parser.add_argument("--one", choices=("hiermod", *BAMBI), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(of_hiermod() if chosen.one == "hiermod" else of_bambi(chosen.one)))
        return
    found = {name: in_process(name) for name in ("hiermod", *chosen.peers)}
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "folds.json").write_text(json.dumps(found, indent=1))
    print(f"{dt.date.today()}, {platform.machine()}, {count_cores()} cores\n\n{table(found)}")


def in_process(program: str) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", __file__, "--one", program]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def of_hiermod() -> dict[str, float]:
    """Medians over some runs, of a fit and of ten folds."""
    import hiermod as hm

    frame, cores = shipped("country"), count_cores()

    def fit(seed: int) -> hm.Fit:
        options: dict[str, Any] = {"draws": DRAWS, "chains": CHAINS, "cores": cores, "progress": False}
        return hm.fit(JOB.formula(), frame, JOB.family, seed=seed, **options)

    whole = fit(1)
    whole.kfold(FOLDS, seed=1, progress=False)
    single = [seconds_of(lambda seed=seed: fit(seed))[0] for seed in range(2, 2 + REPEAT)]
    folds = [seconds_of(lambda seed=seed: whole.kfold(FOLDS, seed=seed, progress=False)) for seed in range(REPEAT)]
    return {
        "single": statistics.median(single), "folds": statistics.median(seconds for seconds, _ in folds),
        "elpd": statistics.median(result.elpd for _, result in folds),
    }  # fmt: skip


def of_bambi(program: str) -> dict[str, float]:
    """One fit and ten folds."""
    frame, cores = shipped("country"), count_cores()

    def fit(rows: pd.DataFrame, seed: int) -> tuple[Any, Any]:
        model = bambi_model(JOB, rows, program)
        return model, sample_bambi(model, cores, seed, program)

    fit(frame, FOLDS)
    single, _ = seconds_of(lambda: fit(frame, FOLDS + 1))
    fold_of = np.random.default_rng(1).permutation(len(frame)) % FOLDS

    def score(fold: int) -> float:
        """The expected log predictive density of a fold's rows."""
        kept, left = frame[fold_of != fold], frame[fold_of == fold]
        model, tree = fit(kept, fold)
        rates = model.predict(tree, kind="response_params", data=left, inplace=False)["posterior"]["p"]
        success = left[JOB.response].to_numpy() == 1
        return float(np.log(np.where(success, rates, 1.0 - rates).mean(axis=(0, 1))).sum())

    seconds, scores = seconds_of(lambda: [score(fold) for fold in range(FOLDS)])
    return {"single": single, "folds": seconds, "elpd": sum(scores)}


def table(found: dict[str, dict[str, float]]) -> str:
    ours = found["hiermod"]["folds"]
    lines = ["| program | a fit, s | ten folds, s | folds over a fit | hiermod's time over it | expected log density |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for name, own in found.items():
        ratio = own["folds"] / own["single"]
        lines.append(f"| {name} | {own['single']:.3g} | {own['folds']:.3g} | {ratio:.1f} | {ours / own['folds']:.3f} "
                     f"| {own['elpd']:.1f} |")  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    main()
