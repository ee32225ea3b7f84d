"""How many trials are needed: many simulated experiments, each fitted, until they decide well enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from hiermod.answers.averaging.query import Arguments
from hiermod.answers.estimands import effects, rates
from hiermod.errors import DataError
from hiermod.interface.notices import announce
from hiermod.modeling.definition import Definition, define
from hiermod.sampling.parallel import fit_one
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings

HALVINGS = 2
Report = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Aim:
    """What has to be reached: ``loss`` or ``width`` below a value, in which share of the simulations."""

    measure: str
    below: float
    assurance: float
    variable: str
    by: tuple[str, ...]
    groups: str
    goal: str
    prob: float


@dataclass(frozen=True, eq=False)
class Scenario:
    """Experiments to simulate: true values, a row of the design for each cell, and how the results are fitted.

    `columns` are those of successes and trials, or that of the one response of a row.
    """

    truth: Posterior
    design: pd.DataFrame
    definition: Definition
    columns: tuple[str, ...]
    settings: Settings


@dataclass(frozen=True, eq=False)
class Plan:
    """How many trials are needed. Printing it prints the table and what it says.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each size that was tried, by size: ``size`` (trials in each row of the design), ``simulations``,
        ``value`` (mean expected loss of the choice, or mean width), ``reached`` (share of simulations at or below the
        aim) with its standard error ``se``, ``regret`` (mean true loss of the arm that would be chosen).
    simulations : pandas.DataFrame
        A row for each simulation: ``size, simulation, value, regret``.
    needed : int or None
        The smallest size that was tried from which on the aim was reached often enough.
    text : str
        In words.
    """

    table: pd.DataFrame
    simulations: pd.DataFrame
    needed: int | None
    text: str

    def __repr__(self) -> str:
        return f"{self.table.to_string(index=False, float_format='{:.4g}'.format)}\n{self.text}"


def run_plan(scenario: Scenario, aim: Aim, sizes: Sequence[int] | None, start: int, most: int, report: Report) -> Plan:
    """Simulate sizes in turn; an interruption keeps the simulations that are done."""
    rows: list[tuple[int, int, float, float]] = []
    means = _means(scenario)
    true = _true_arms(scenario, aim)
    interrupted = False
    try:
        for size in sizes if sizes is not None else _search(rows, aim, start, most):
            for number in range(means.shape[1]):
                try:
                    fitted = _simulated(scenario, means[:, number], size, number)
                except DataError:  # all responses are equal, and nothing can be fitted
                    rows.append((size, number, math.inf, math.nan))
                    continue
                rows.append((size, number, *_measured(fitted, aim, true[:, :, number])))
                report(size, number + 1, _share(rows, size, aim))
    except KeyboardInterrupt:
        interrupted = True
    return _plan(rows, aim, interrupted)


def _search(rows: list[tuple[int, int, float, float]], aim: Aim, start: int, most: int) -> Iterator[int]:
    """Double the size until the aim is reached, or halve it until it is not; then halve the ratio between, twice."""
    size = start
    yield size
    reached = _share(rows, size, aim) >= aim.assurance
    low, high = (0, size) if reached else (size, 0)
    while not high and 2 * low <= most:
        yield 2 * low
        low, high = (low, 2 * low) if _share(rows, 2 * low, aim) >= aim.assurance else (2 * low, 0)
    while high > 1 and not low:
        size = high // 2
        yield size
        low, high = (0, size) if _share(rows, size, aim) >= aim.assurance else (size, high)
    for _ in range(HALVINGS):
        size = round(math.sqrt(low * high))
        if not low or not high or size in (low, high):
            return
        yield size
        low, high = (low, size) if _share(rows, size, aim) >= aim.assurance else (size, high)


def _share(rows: list[tuple[int, int, float, float]], size: int, aim: Aim) -> float:
    values = [value for other, _, value, _ in rows if other == size]
    return float(np.mean([value <= aim.below for value in values])) if values else 0.0


def _means(scenario: Scenario) -> np.ndarray:
    """Expected responses of the design's rows, each in its own group, shape ``(rows, simulations)``."""
    draws = rates.predict(scenario.truth, Arguments(data=scenario.design)).draws
    return np.asarray(draws.transpose("row", "chain", "draw").to_numpy().reshape(len(scenario.design), -1))


def _true_arms(scenario: Scenario, aim: Aim) -> np.ndarray:
    """The arms' true rates or means, shape ``(cells, arms, simulations)``."""
    arguments = Arguments(by=[*aim.by, aim.variable], data=scenario.design, groups=aim.groups)
    answer = rates.rates(scenario.truth, arguments)
    announce(answer.notices)
    draws = answer.draws.transpose("row", "chain", "draw").to_numpy()
    arms = answer.table[aim.variable].nunique()
    return np.asarray(draws.reshape(len(answer.table) // arms, arms, -1))


def _simulated(scenario: Scenario, mean: np.ndarray, size: int, number: int) -> Posterior:
    """One experiment with `size` trials in each row of the design, fitted."""
    seed = scenario.settings.seed or 0
    rng = np.random.default_rng([seed, size, number])
    spec = scenario.truth.spec
    auxiliary = [scenario.truth.values(name)[number] for name in spec.family.auxiliary]
    if len(scenario.columns) == 2:
        trials = np.full(len(mean), size)
        drawn = spec.family.draw_responses(mean, trials, auxiliary, rng)
        frame = scenario.design.assign(**dict(zip(scenario.columns, (drawn.astype(int), trials), strict=True)))
    else:
        drawn = spec.family.draw_responses(np.repeat(mean, size), 1, auxiliary, rng)
        repeated = scenario.design.loc[scenario.design.index.repeat(size)].reset_index(drop=True)
        frame = repeated.assign(**{scenario.columns[0]: drawn})
    defined = define(scenario.definition, frame)
    return fit_one(defined.spec, replace(scenario.settings, seed=int(rng.integers(2**31))))


def _measured(fitted: Posterior, aim: Aim, true: np.ndarray) -> tuple[float, float]:
    """The worst cell's expected loss or width, and the mean true loss over cells of what would be chosen."""
    by = list(aim.by) or None
    arguments = Arguments(aim.variable, by, groups=aim.groups, goal=aim.goal, prob=aim.prob)
    table = effects.best(fitted, arguments)
    losses = table["expected_loss"].to_numpy().reshape(true.shape)
    chosen = losses.argmin(axis=1)
    reached = true[np.arange(len(true)), chosen]
    regret = true.max(axis=1) - reached if aim.goal == "max" else reached - true.min(axis=1)
    if aim.measure == "loss":
        return float(losses.min(axis=1).max()), float(regret.mean())
    widths = effects.effect(fitted, arguments).table
    return float((widths["upper"] - widths["lower"]).max()), float(regret.mean())


def _plan(rows: list[tuple[int, int, float, float]], aim: Aim, interrupted: bool) -> Plan:
    simulations = pd.DataFrame(rows, columns=["size", "simulation", "value", "regret"])
    simulations = simulations.sort_values(["size", "simulation"], kind="stable").reset_index(drop=True)
    lines = []
    for size, runs in simulations.groupby("size"):
        share, count = float((runs["value"] <= aim.below).mean()), len(runs)
        error = math.sqrt(max(share * (1.0 - share), 0.0) / count)
        lines.append((size, count, runs["value"].mean(), share, error, runs["regret"].mean()))
    table = pd.DataFrame(lines, columns=["size", "simulations", "value", "reached", "se", "regret"])
    needed: int | None = None
    complete = table[table["size"] != rows[-1][0]] if interrupted and rows else table
    for size, share in zip(complete["size"].tolist()[::-1], complete["reached"].tolist()[::-1], strict=True):
        if share < aim.assurance:
            break
        needed = int(size)
    return Plan(table, simulations, needed, _text(table, aim, needed, interrupted))


def _text(table: pd.DataFrame, aim: Aim, needed: int | None, interrupted: bool) -> str:
    what = (
        "the expected loss of the choice" if aim.measure == "loss" else f"the width of {100 * aim.prob:g} % intervals"
    )
    wanted = f"{what} is at most {aim.below:g} in {aim.assurance:.0%} of the simulations"
    stopped = "Interrupted: the last size is not complete. " if interrupted else ""
    if table.empty:
        return f"{stopped}No simulation was done."
    if needed is None:
        return f"{stopped}With up to {int(table['size'].max()):,} trials in each row of the design, not yet: {wanted}."
    below = table.loc[table["size"] < needed, "size"]
    after = f"; with {int(below.max()):,} not" if len(below) else ", the fewest that were tried"
    return f"{stopped}With {needed:,} trials in each row of the design, {wanted}{after}."
