"""What each idea behind the engine's coordinates is worth, in effective draws for a thousand gradients.

    python benchmarks/geometry.py [JOB ...]

Gradients are counted, seconds are not, so that other work on the machine does not matter. A run is 4 chains of 1,000
draws after 300 of warm-up; the median of --repeat runs is shown, the smallest bulk and tail ESS over all parameters.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from jobs import JOBS
from sets import SIMULATIONS, shipped

from hiermod.engine import nutpie_core
from hiermod.engine.adapt import coordinates
from hiermod.engine.build.compile import library
from hiermod.engine.layout.problem import read_problem
from hiermod.engine.layout.program import Program, public_coordinates
from hiermod.sampling.diagnostics import diagnose
from hiermod.sampling.native import Native
from hiermod.sampling.settings import Settings

DRAWS, CHAINS = 1000, 4
WITHOUT: dict[str, dict[Any, tuple[str, Any]]] = {
    "all of it": {},
    "common coefficients' spread fixed": {coordinates: ("FEW_FOR_MEANS", 0)},
    "few groups apart": {coordinates: ("FEW_SAMPLED_JOINTLY", 0)},
    "no stretched directions": {coordinates: ("_stretched", lambda program: program)},
    "standard deviations by their logarithms": {Program: ("softened", lambda program: program)},
    "ordinary trajectories": {nutpie_core: ("TRAJECTORY", "Euclidean")},
    "steps up to half a turn": {nutpie_core: ("LONGEST_STEP", np.pi)},
}


def sites() -> tuple[str, pd.DataFrame]:
    """Four sites beside three hundred persons."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {"x": rng.normal(size=1500), "site": rng.integers(0, 4, 1500), "id": rng.integers(0, 300, 1500)}
    )
    effects = 0.5 * rng.normal(size=4)[frame.site] + 0.6 * rng.normal(size=300)[frame.id]
    return "y ~ x + (1 | site) + (1 | id)", frame.assign(y=0.6 * frame.x + effects + rng.normal(size=1500))


def factors() -> tuple[str, pd.DataFrame]:
    """Six crossed factors of three to eight levels, which do nothing."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"f{levels}": rng.integers(0, levels, 200) for levels in range(3, 9)})
    bars = " + ".join(f"(1 | {name})" for name in frame)
    return f"y ~ x + {bars}", frame.assign(x=rng.normal(size=200), y=rng.normal(size=200))


OWN = {"sites": sites, "factors": factors}


@contextlib.contextmanager
def changed(changes: dict[Any, tuple[str, Any]]) -> Iterator[None]:
    """Parts of the engine replaced for a while."""
    before = {module: getattr(module, name) for module, (name, _) in changes.items()}
    for module, (name, value) in changes.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, (name, _) in changes.items():
            setattr(module, name, before[module])


def runs(program: Program, repeat: int) -> list[float]:
    """Gradients a draw, smallest bulk and tail ESS, bulk ESS for each thousand gradients, divergences: medians."""
    native = Native(program)
    found = []
    for seed in range(repeat):
        tree, _ = native.run(Settings(draws=DRAWS, chains=CHAINS, seed=seed), progress=False)
        seen, steps = diagnose(tree), tree["sample_stats"]["n_steps"].to_numpy()
        found.append((steps.mean(), seen.ess_bulk, seen.ess_tail, 1e3 * seen.ess_bulk / steps.sum(), seen.divergences))
    return [statistics.median(column) for column in zip(*found, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "jobs", nargs="*", default=["country", "variants", "sleepstudy", "verbagg", *OWN], metavar="JOB"
    )
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    import hiermod as hm

    print("| job | coordinates | gradients a draw | bulk ESS | tail ESS | ESS for 1,000 gradients | divergences |")
    print("|---|---|---|---|---|---|---|")
    for name in chosen.jobs:
        if name in OWN:
            formula, frame, family = *OWN[name](), "gaussian"
        else:
            formula, family = JOBS[name].formula(), JOBS[name].family
            frame = SIMULATIONS[name]() if name in SIMULATIONS else shipped(name)
        spec = hm.model(formula, frame, family)._defined.spec
        public = public_coordinates(read_problem(spec), library(print).functions)
        for title, changes in WITHOUT.items():
            with changed(changes):
                row(name, title, runs(coordinates.whiten(public), chosen.repeat))
        with changed({nutpie_core: ("TRAJECTORY", "Euclidean")}):
            row(name, "non-centred, ordinary trajectories", runs(public, chosen.repeat))


def row(job: str, title: str, figures: list[float]) -> None:
    steps, bulk, tail, efficiency, divergences = figures
    print(f"| {job} | {title} | {steps:.1f} | {bulk:,.0f} | {tail:,.0f} | {efficiency:,.0f} | {divergences:.0f} |")


if __name__ == "__main__":
    main()
