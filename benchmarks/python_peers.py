"""One job by one Python program in this process: the first fit with its summary, then fits again.

Prints the summary, a line `ANSWERED`, and, if fits again are asked for, a line of JSON with what they took.

    python python_peers.py PROGRAM JOB FOLDER FITS_AGAIN CORES
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from jobs import BAMBI, BAMBI_NAMES, CHAINS, DRAWS, JOBS, TUNE, Job, prior_table

ANSWERED = "ANSWERED"
Fitted = tuple[Any, Callable[[], None], Callable[[], float]]  # a tree, what prints a summary, seconds of sampling alone


def fit_hiermod(job: Job, frame: pd.DataFrame, cores: int, seed: int) -> Fitted:
    """hiermod on its defaults; sampling alone is a fit of the model that has just been compiled."""
    import hiermod as hm

    options: dict[str, Any] = {"draws": DRAWS, "chains": CHAINS, "cores": cores, "progress": False}
    if job.family == "cumulative":  # what brms can be told of thresholds, too
        options["priors"] = {"Intercept": "StudentT(3, 0, 2.5)"}
    sampling = {name: value for name, value in options.items() if name != "priors"}
    fit = hm.fit(job.formula(), frame, job.family, seed=seed, **options)
    return fit.idata, lambda: print(fit.summary()), lambda: seconds_of(lambda: fit.model.fit(seed=seed, **sampling))[0]


def fit_bambi(job: Job, frame: pd.DataFrame, cores: int, seed: int, program: str) -> Fitted:
    """Bambi with hiermod's priors; PyMC says itself how long it sampled."""
    tree = sample_bambi(bambi_model(job, frame, program), cores, seed, program)
    return tree, lambda: print_summary(tree), lambda: own_seconds(tree)


def bambi_model(job: Job, frame: pd.DataFrame, program: str) -> Any:
    import bambi as bmb

    family = BAMBI_NAMES.get(job.family, job.family)
    if job.family == "cumulative":
        frame = frame.assign(**{job.response: pd.Categorical(frame[job.response], ordered=True)})
    return bmb.Model(bmb.Formula(*job.formulas(program)), frame, family=family, priors=bambi_priors(job, frame))


def sample_bambi(model: Any, cores: int, seed: int, program: str) -> Any:
    return model.fit(
        draws=DRAWS, tune=TUNE, chains=CHAINS, cores=cores, random_seed=seed,
        inference_method=BAMBI[program], progressbar=False,
    )  # fmt: skip


def bambi_priors(job: Job, frame: pd.DataFrame) -> dict[str, Any]:
    import bambi as bmb

    everything: dict[str, Any] = {BAMBI_NAMES.get(name, name): {} for name in job.parts}
    if job.family == "zero_inflated_negbinomial":
        everything["alpha"] = bmb.Prior("InverseGamma", alpha=0.4, beta=0.3)
    for row in prior_table(job, frame).itertuples():
        priors = everything[BAMBI_NAMES.get(row.part, row.part)] if row.part else everything
        if row.kind in ("Intercept", "slope"):
            name = row.term if row.kind == "slope" else "Intercept"
            if job.family == "cumulative" and name == "Intercept":
                continue  # Bambi's own prior of thresholds, Normal(0, 10) or so, which the data outweigh
            priors[name] = bmb.Prior("StudentT", nu=3, mu=row.location, sigma=row.scale)
        elif row.kind == "sd":
            spread = bmb.Prior("HalfNormal", sigma=row.scale)
            priors[f"{row.term}|{row.group}"] = bmb.Prior("Normal", mu=0, sigma=spread)
        else:
            priors["sigma"] = bmb.Prior("Exponential", lam=1 / row.scale)
    return everything


def print_summary(tree: Any) -> None:
    """What the other programs' summaries hold: everything but the effects of single groups."""
    import arviz_stats as azs

    names = [str(name) for name in tree["posterior"].data_vars]
    print(azs.summary(tree, var_names=[name for name in names if "|" not in name or name.endswith("_sigma")]))


def own_seconds(tree: Any) -> float:
    return next(float(group.attrs["sampling_time"]) for group in tree.subtree if "sampling_time" in group.attrs)


def seconds_of(action: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def main() -> None:
    program, name, folder, again, cores = sys.argv[1:]
    job, frame = JOBS[name], pd.read_csv(Path(folder) / "data.csv")

    def fit(seed: int) -> Fitted:
        if program == "hiermod":
            return fit_hiermod(job, frame, int(cores), seed)
        return fit_bambi(job, frame, int(cores), seed, program)

    first, (_, show, _) = seconds_of(lambda: fit(1))
    show()
    print(ANSWERED, flush=True)
    if int(again):
        print(json.dumps(measure(fit, int(again)) | {"first": first}), flush=True)


def measure(fit: Callable[[int], Fitted], times: int) -> dict[str, Any]:
    """Fit again, each time with another seed."""
    from draws import judge, of_tree

    figures: dict[str, list[float]] = {"seconds": [], "divergences": [], "ess": [], "rhat": [], "parameters": []}
    for seed in range(2, 2 + times):
        seconds, (tree, _, sampling) = seconds_of(lambda seed=seed: fit(seed))
        own = judge(of_tree(tree)) | {"seconds": seconds, "divergences": int(tree["sample_stats"]["diverging"].sum())}
        for key, values in figures.items():
            values.append(own[key])
    return figures | {"sampling": sampling(), "draws": int(tree["posterior"].sizes["draw"])}


if __name__ == "__main__":
    main()
