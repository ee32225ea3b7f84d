"""Pooled rates beside other programs' beta-binomials, each in a process of its own, one after the other.

    python benchmarks/pooled.py

Seconds are of CPU, of all of a process and its threads: those of the clock depend on what else runs.
All programs have the same likelihood and p(a, b) ∝ (a + b)^(-5/2), stated by the mean and the spread (a + b)^(-1/2);
Bambi's beta_binomial family has a logit intercept and kappa, with priors of their own. hiermod's logit model stands
beside it; hiermod and Stan give the groups' rates as well.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from draws import judge, of_tree
from programs import ENVIRONMENT, count_cores
from sets import shipped

CHAINS, DRAWS, TUNE, REPEAT = 4, 1000, 1000, 7
HERE = Path(__file__).parent
RATS = HERE.parent / "tests" / "reference" / "rats.csv"
LARGE = {"100,000 groups": 100_000, "1,000,000 users, at most 65 distinct": 1_000_000}


def data(job: str) -> pd.DataFrame:
    """Columns s, n and g of a job."""
    if job == "variants2":
        return shipped("variants2").set_axis(["g", "s", "n"], axis=1)
    if job == "rats":
        frame = pd.read_csv(RATS).set_axis(["s", "n"], axis=1)
        return frame.assign(g=[f"{place:02d}" for place in range(len(frame))])
    rng, groups = np.random.default_rng(1), LARGE[job]
    trials = rng.integers(50, 100_000, groups) if groups < 1_000_000 else rng.integers(1, 11, groups)
    return pd.DataFrame({"s": rng.binomial(trials, rng.beta(2.0, 8.0, groups)), "n": trials, "g": np.arange(groups)})


def hiermod(job: str, pooling: str = "beta", repeat: int = REPEAT) -> dict[str, Any]:
    """Formula to the rates' draws, their table and the summary."""
    import hiermod as hm

    frame = data(job)

    def fit() -> Any:
        made = hm.fit("s/n ~ (1 | g)", frame, pooling=pooling, draws=DRAWS, chains=CHAINS, seed=1, progress=False)
        made.summary()
        if len(frame) < 1000:
            made.rates("g")
        return made

    return measured(fit, lambda made: judge(of_tree(made.idata)), repeat)


def hiermod_logit(job: str) -> dict[str, Any]:
    """hiermod's logit model of the same data."""
    return hiermod(job, "normal")


def pymc_nutpie(job: str) -> dict[str, Any]:
    """The beta-binomial in PyMC, by mean and spread, compiled and sampled by nutpie."""
    import nutpie
    import pymc as pm

    frame = data(job)

    def fit() -> Any:
        with pm.Model() as model:
            mean, size = pm.Uniform("mean", 0.0, 1.0), pm.HalfFlat("spread") ** -2.0
            a, b = mean * size, (1.0 - mean) * size
            pm.BetaBinomial("y", n=frame["n"].to_numpy(), alpha=a, beta=b, observed=frame["s"].to_numpy())
        compiled = nutpie.compile_pymc_model(model)
        return nutpie.sample(compiled, draws=DRAWS, tune=TUNE, chains=CHAINS, seed=1, progress_bar=False)

    return measured(fit, lambda tree: judge(of_tree(tree)), 2)


def bambi_nutpie(job: str) -> dict[str, Any]:
    """Bambi's beta_binomial family, by nutpie."""
    import bambi as bmb

    frame = data(job)

    def fit() -> Any:
        model = bmb.Model("p(s, n) ~ 1", frame, family="beta_binomial")
        return model.fit(draws=DRAWS, tune=TUNE, chains=CHAINS, random_seed=1, inference_method="nutpie")

    return measured(fit, lambda tree: judge(of_tree(tree)), 2)


def stan(job: str) -> dict[str, Any]:
    """The beta-binomial in Stan, by rstan; compilation is part of the first answer, sampling alone of others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data(job).to_csv(path, index=False)
        done = subprocess.run(
            ["Rscript", str(HERE / "pooled.R"), str(path), str(DRAWS), str(TUNE)], check=True, capture_output=True,
            text=True, env=ENVIRONMENT,
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


PROGRAMS: dict[str, Callable[[str], dict[str, Any]]] = {
    "hiermod": hiermod, "hiermod, logit": hiermod_logit, "PyMC + nutpie": pymc_nutpie, "Bambi + nutpie": bambi_nutpie,
    "Stan (rstan)": stan,
}  # fmt: skip


def measured(fit: Callable[[], Any], judged: Callable[[Any], dict[str, float]], repeat: int) -> dict[str, Any]:
    """CPU seconds of the first fit, and the least of later ones; other work beside them changes these least."""
    seconds = []
    for _ in range(repeat + 1):
        started = time.process_time()
        made = fit()
        seconds.append(time.process_time() - started)
    return {"first": seconds[0], "seconds": min(seconds[1:]), **judged(made)}


def in_process(program: str, job: str) -> dict[str, Any] | None:
    """One program; None where it fails."""
    command = [sys.executable, "-W", "ignore", __file__, "--one", program, "--jobs", job]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        print(f"{program}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def fresh(pooling: str) -> float:
    """CPU seconds of a process from its start to a printed answer, the least of some."""
    code = (
        "import hiermod as hm; print(hm.fit('successes/trials ~ (1 | variant)', hm.example('variants2'), "
        f"pooling='{pooling}', seed=1, progress=False).rates('variant'))"
    )
    found = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=ENVIRONMENT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def table(found: dict[str, dict[str, Any]]) -> str:
    titles = ("program", "first answer", "a further one", "× hiermod's", "smallest bulk ESS", "largest R-hat")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    ours = found["hiermod"]["seconds"]
    for name, own in found.items():
        lines.append(
            f"| {name} | {own['first']:.3g} | {own['seconds']:.3g} | {own['seconds'] / ours:.3g} | {own['ess']:,.0f} "
            f"| {own['rhat']:.3f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--jobs", nargs="*", default=["variants2", "rats", *LARGE], help="variants2, rats, and large ones"
    )
    parser.add_argument("--peers", nargs="*", default=list(PROGRAMS), choices=PROGRAMS, metavar="PROGRAM")
    parser.add_argument("--one", choices=PROGRAMS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(PROGRAMS[chosen.one](chosen.jobs[0])))
        return
    peers = [name for name in chosen.peers if name != "Stan (rstan)" or shutil.which("Rscript")]
    print(f"{dt.date.today()}, {platform.machine()}, {count_cores()} cores", flush=True)
    for job in chosen.jobs:
        asked = peers if job not in LARGE else [name for name in peers if name == "hiermod"]
        found = {name: own for name in asked if (own := in_process(name, job)) is not None}
        print(f"\n**{job}**\n\n{table(found)}", flush=True)
    print(f"\nfresh process to printed answer: {fresh('beta'):.2f} s, of the logit model {fresh('normal'):.2f} s")


if __name__ == "__main__":
    main()
