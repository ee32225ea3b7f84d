"""The data of the jobs, as CSV files that every program reads; simulated where R's lme4 is not there to give them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
OF_LME4 = ("verbagg", "insteval")


def write_set(name: str, folder: Path, lme4: bool) -> str:
    """Write the rows of a job to ``folder/data.csv``; return where they come from."""
    target = folder / "data.csv"
    folder.mkdir(parents=True, exist_ok=True)
    if name in OF_LME4 and lme4:
        subprocess.run(["Rscript", "--vanilla", str(HERE / "lme4_sets.R"), name, str(target)], check=True)
        return "lme4"
    (SIMULATIONS[name] if name in SIMULATIONS else lambda: shipped(name))().to_csv(target, index=False)
    return "simulated" if name in SIMULATIONS else "hiermod"


def shipped(name: str) -> pd.DataFrame:
    """A set of hiermod's; codes that are factors get a letter, so that no program reads them as numbers."""
    import hiermod as hm

    frame = hm.example(name)
    return frame.assign(period="p" + frame["period"].astype(str)) if name == "cbpp" else frame


def variants(count: int = 20, seed: int = 20) -> pd.DataFrame:
    """A test of many variants, whose rates are near 12 % and differ by a quarter."""
    rng = np.random.default_rng(seed)
    trials = rng.integers(500, 2000, count)
    successes = rng.binomial(trials, _rate(-2.0 + 0.25 * rng.normal(size=count)))
    return pd.DataFrame({"variant": [f"v{k + 1:02d}" for k in range(count)], "successes": successes, "trials": trials})


def verbagg(people: int = 316, items: int = 24) -> pd.DataFrame:
    """Every person answers every item, as in lme4's VerbAgg."""
    rng = np.random.default_rng(316)
    item, person = (index.ravel() for index in np.indices((items, people)))
    anger = np.clip(rng.normal(20, 5, people).round(), 11, 39).astype(int)
    male, self_caused, kind = rng.random(people) < 0.23, np.arange(items) % 4 > 1, np.arange(items) % 3
    eta = 0.06 * (anger - 20) + 0.3 * male + 1.37 * rng.normal(size=people)
    easy = 0.9 - 1.06 * kind - 1.05 * self_caused + 0.5 * rng.normal(size=items)
    yes = rng.binomial(1, _rate(eta[person] + easy[item]))
    return pd.DataFrame({
        "yes": yes, "Anger": anger[person], "Gender": np.where(male, "M", "F")[person],
        "btype": np.array(["curse", "scold", "shout"])[kind[item]],
        "situ": np.where(self_caused, "self", "other")[item],
        "id": np.char.add("p", (person + 1).astype(str)), "item": np.char.add("i", (item + 1).astype(str)),
    })  # fmt: skip


def insteval(rows: int = 73_421, students: int = 2972, lecturers: int = 1128) -> pd.DataFrame:
    """Students rate lecturers from 1 to 5; how many ratings each has varies as widely as in lme4's InstEval."""
    rng = np.random.default_rng(1128)
    s, d = _each(rng, students, rows, 4.0), _each(rng, lecturers, rows, 0.8)
    service = rng.binomial(1, 0.43, rows)
    means = 3.28 - 0.09 * service + 0.33 * rng.normal(size=students)[s] + 0.52 * rng.normal(size=lecturers)[d]
    y = np.clip((means + 1.18 * rng.normal(size=rows)).round(), 1, 5).astype(int)
    names = {key: np.char.add(key, (index + 1).astype(str)) for key, index in {"s": s, "d": d}.items()}
    return pd.DataFrame({"y": y, "service": service, **names})


def slopes(groups: int = 1000, each: int = 20) -> pd.DataFrame:
    """Three numeric predictors, whose slopes and the intercept vary together."""
    rng = np.random.default_rng(1000)
    sds = np.array([1.0, 0.5, 0.4, 0.3])
    correlation = np.full((4, 4), 0.3) + 0.7 * np.eye(4)
    means = np.array([1.0, 0.5, -0.5, 0.2])
    effects = rng.multivariate_normal(means, correlation * np.outer(sds, sds), groups)
    g = np.repeat(np.arange(groups), each)
    x = rng.normal(size=(len(g), 3))
    y = effects[g, 0] + (effects[g, 1:] * x).sum(axis=1) + rng.normal(size=len(g))
    frame = pd.DataFrame(x, columns=["x1", "x2", "x3"]).assign(y=y)
    return frame.assign(g=np.char.add("g", (g + 1).astype(str)))


def inflated(groups: int = 100, each: int = 40) -> pd.DataFrame:
    """Counts that vary more than chance, with further zeros, fewer of them among the treated."""
    rng = np.random.default_rng(100)
    g, treated = np.repeat(np.arange(groups), each), np.tile([0, 1], groups * each // 2)
    mean = np.exp(1.2 + 0.3 * treated + 0.5 * rng.normal(size=groups)[g])
    y = rng.poisson(mean * rng.gamma(2.0, 0.5, len(g)))
    y = np.where(rng.random(len(g)) < _rate(-0.8 - 0.4 * treated), 0, y)
    return pd.DataFrame({"y": y, "treated": treated, "g": np.char.add("g", (g + 1).astype(str))})


def spread(groups: int = 100, each: int = 40) -> pd.DataFrame:
    """Numbers whose spread differs between groups and by treatment, as their mean does."""
    rng = np.random.default_rng(101)
    g, treated = np.repeat(np.arange(groups), each), np.tile([0, 1], groups * each // 2)
    sigma = np.exp(0.2 + 0.3 * treated + 0.4 * rng.normal(size=groups)[g])
    y = 2.0 + 0.5 * treated + 0.7 * rng.normal(size=groups)[g] + sigma * rng.normal(size=len(g))
    return pd.DataFrame({"y": y.round(4), "treated": treated, "g": np.char.add("g", (g + 1).astype(str))})


def ratings(people: int = 300, items: int = 40, each: int = 20) -> pd.DataFrame:
    """Ratings from 1 to 5 by people of items, crossed."""
    rng = np.random.default_rng(102)
    person = np.repeat(np.arange(people), each)
    item = np.concatenate([rng.permutation(items)[:each] for _ in range(people)])
    treated = rng.integers(0, 2, len(person))
    eta = 0.4 * treated + 0.9 * rng.normal(size=people)[person] + 0.6 * rng.normal(size=items)[item]
    latent = eta[:, None] + rng.logistic(size=(len(person), 1))
    frame = {
        "y": 1 + (latent > [-1.5, -0.3, 0.8, 2.0]).sum(axis=1),
        "treated": treated,
        "person": np.char.add("p", (person + 1).astype(str)),
        "item": np.char.add("i", (item + 1).astype(str)),
    }
    return pd.DataFrame(frame)  # fmt: skip


SIMULATIONS = {
    "ratings": ratings,
    "inflated": inflated,
    "spread": spread,
    "variants": variants,
    "verbagg": verbagg,
    "insteval": insteval,
    "slopes": slopes,
}


def _each(rng: np.random.Generator, count: int, rows: int, evenness: float) -> np.ndarray:
    """Which of `count` groups each row belongs to: each at least once, some far more often than others."""
    share = rng.gamma(evenness, size=count)
    return rng.permutation(np.append(np.arange(count), rng.choice(count, rows - count, p=share / share.sum())))


def _rate(eta: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-eta))
