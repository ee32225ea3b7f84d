"""One job by one Python program: model to draws, twice in one session; prints timings as JSON."""

from __future__ import annotations

import json
import sys
import time

FORMULAS = {
    "country": "success ~ treated + (1 + treated | country)",
    "cbpp": "p(incidence, size) ~ period + (1 | herd)",
    "sleepstudy": "Reaction ~ Days + (Days | Subject)",
}
FAMILIES = {"country": "bernoulli", "cbpp": "binomial", "sleepstudy": "gaussian"}


def fit_hiermod(job: str) -> object:
    import hiermod as hm

    return hm.fit(FORMULAS[job], hm.example(job), FAMILIES[job], seed=1, progress=False).idata


def fit_bambi(job: str, **options: object) -> object:
    import bambi as bmb

    import hiermod as hm

    model = bmb.Model(FORMULAS[job], hm.example(job), family=FAMILIES[job])
    return model.fit(draws=1000, tune=1000, chains=4, random_seed=1, progressbar=False, **options)


PROGRAMS = {
    "hiermod": fit_hiermod,
    "bambi": fit_bambi,
    "bambi+nutpie": lambda job: fit_bambi(job, inference_method="nutpie"),
}


def main() -> None:
    job, program = sys.argv[1:]
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        draws = PROGRAMS[program](job)
        seconds.append(time.perf_counter() - start)
    import arviz_stats as azs

    ess = min(float(values.min()) for values in azs.ess(draws["posterior"].to_dataset()).data_vars.values())
    print(json.dumps({"first": seconds[0], "again": seconds[1], "ess": ess}))


if __name__ == "__main__":
    main()
