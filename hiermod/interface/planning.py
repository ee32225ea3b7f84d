"""`plan`: how many trials an experiment needs, by many simulated ones, each fitted, until they decide well enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import check_prob
from hiermod.answers.averaging.columns import check_column, check_columns
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.draws import check_goal
from hiermod.answers.estimands import effects, rates
from hiermod.choices import Goal, Groups
from hiermod.errors import AnswerError, DataError, visible
from hiermod.families.names import FamilyName
from hiermod.interface.fit import Fit
from hiermod.interface.notices import announce
from hiermod.interface.scenarios import Scenario, of_fit, of_formula
from hiermod.modeling.definition import define
from hiermod.sampling.parallel import fit_one
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.progress import ProgressLine
from hiermod.sampling.settings import Settings, fresh_seed
from hiermod.tabular import Tabular, text_table
from hiermod.terminal import lines_of, width

HALVINGS = 2
LARGEST_SIZE = 10**15  # trials, which still are whole numbers in double precision
MOST_SIMULATIONS = 10**6
Report = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Aim:
    """What has to be reached: ``loss`` or ``width`` below a value, in which share of the simulations."""

    measure: str
    below: float
    assurance: float
    variable: str
    by: tuple[str, ...]
    groups: Groups
    goal: str
    prob: float


@dataclass(frozen=True, eq=False)
class Plan(Tabular):
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

    Examples
    --------
    >>> import hiermod as hm
    >>> import pandas as pd
    >>> plan = hm.Plan(pd.DataFrame({"size": [100], "reached": [0.9]}), pd.DataFrame(), 100, "100 trials are enough.")
    >>> plan
    size  reached
     100      0.9
    100 trials are enough.
    """

    table: pd.DataFrame
    simulations: pd.DataFrame
    needed: int | None
    text: str

    def __repr__(self) -> str:
        room = width()
        return f"{text_table(self.table, ['size']).text(room)}\n{lines_of(visible(self.text), room, '')}"


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
    arguments = Arguments(aim.variable, by=aim.by, data=scenario.design, groups=aim.groups)
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
    table, _ = effects.best(fitted, arguments)
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


def plan(
    source: str | Fit, data: Any = None, variable: str = "", *, by: Any = None,
    truth: Mapping[str, float | str] | None = None, family: FamilyName | str = "binomial",
    priors: Mapping[str, str] | None = None, loss: float | None = None, width: float | None = None,
    assurance: float = 0.8, sizes: Sequence[int] | None = None, start: int = 100, most: int = 1_000_000,
    simulations: int = 50, groups: Groups = "observed", goal: Goal = "max", prob: float = 0.95, draws: int = 500,
    chains: int = 2, seed: int | None = None, progress: bool = True,
) -> Plan:  # fmt: skip
    """How many trials are needed until an experiment decides well enough, by simulating and fitting it many times.

    Each simulation has true values of its own; the same ones are used for every size. Sizes are doubled until the aim
    is reached, then the ratio between the last two is halved twice. Ctrl-C keeps the simulations that are done.

    Parameters
    ----------
    source : str or Fit
        A formula, with true values from `truth` and the priors; or a fit, whose posterior gives them.
    data : data frame
        The design: a row for each cell, such as each arm in each country, with all predictors and groups of the
        formula, without responses. Each row gets as many trials (responses) as the size. For a fit, its own cells by
        default.
    variable : str
        The column whose levels are the arms.
    by : str or list of str, optional
        Decide in each of these cells; the worst one counts.
    truth : dict, optional
        True values by the names of `Model.prior_summary`: numbers, or priors as text, as in ``{"Intercept": -2,
        "arm[B]": "Normal(0, 0.1)", "sd(1|country)": 0.3}``, on the link scale. Others are drawn from the priors.
    family, priors :
        As in `hiermod.fit`, for a formula. ``y ~ ...`` of 0/1 is planned as successes of trials.
    loss : float, optional
        The aim: the expected loss of the arm that looks best is at most this (response scale).
    width : float, optional
        The aim: the widest interval of `Fit.effect` is at most this (response scale). Give one of both.
    assurance : float
        In which share of the simulations the aim is to be reached.
    sizes : list of int, optional
        Try these sizes, instead of searching from `start` up to `most`.
    simulations : int
        How many experiments are simulated for each size.
    groups, goal, prob :
        As in `Fit.effect`.
    draws, chains, seed, progress :
        Of each fit; the seed also gives true values and responses.

    Returns
    -------
    Plan
        ``table`` by size, ``simulations``, ``needed``; printing it says all in words.

    Raises
    ------
    AnswerError
        If an argument cannot be used.
    PriorError
        If `truth` names no parameter, or lacks one whose default prior needs data.

    Examples
    --------
    >>> import hiermod as hm, pandas as pd
    >>> design = pd.DataFrame({"arm": ["A", "B"]})
    >>> truth = {"Intercept": -2.0, "arm[B]": 0.3}
    >>> found = hm.plan("s/n ~ arm", design, "arm", truth=truth, loss=0.005, sizes=[100, 3000], simulations=4, seed=1,
    ...                 progress=False)
    >>> list(found.table["size"]), found.needed
    ([100, 3000], 3000)
    """
    aim = _aim(loss, width, assurance, sizes, start, most, simulations)
    check_goal(goal), check_prob(prob)
    settings = Settings(draws, None, chains, None, fresh_seed() if seed is None else seed)
    rng = np.random.default_rng([settings.seed or 0, 3000])
    if isinstance(source, Fit):
        if truth or priors:
            raise AnswerError("truth= and priors= belong to a formula; a fit gives true values from its posterior.")
        scenario = of_fit(source, data, settings, simulations, rng)
    else:
        scenario = of_formula(source, data, family, priors, truth or {}, settings, simulations, rng)
    spec = scenario.truth.spec
    variable, names = check_column(spec, variable, "variable"), check_columns(spec, by)
    if "new" in (groups.values() if isinstance(groups, Mapping) else [groups]):
        raise AnswerError(
            "groups='new': a plan simulates the groups of its design. Say 'population' for the mean over all groups "
            "there could be, or 'observed'."
        )
    wanted = Aim(*aim, assurance, variable, names, groups, goal, prob)
    line = ProgressLine() if progress else None

    def report(size: int, done: int, share: float) -> None:
        if line is not None:
            line.show(f"{size:,} trials: {done} simulations, aim reached in {share:.0%}")

    try:
        return run_plan(scenario, wanted, None if sizes is None else sorted(set(map(int, sizes))), start, most, report)
    finally:
        if line is not None:
            line.close("planned")


def _aim(
    loss: Any, width: Any, assurance: Any, sizes: Any, start: Any, most: Any, simulations: Any
) -> tuple[str, float]:
    given = [(name, value) for name, value in (("loss", loss), ("width", width)) if value is not None]
    if len(given) != 1:
        raise AnswerError("Give one aim: loss=, the expected loss of the choice, or width=, that of intervals.")
    name, value = given[0]
    if isinstance(value, bool) or not isinstance(value, Real) or not 0.0 < float(value) < np.inf:
        raise AnswerError(f"{name}={value!r}: a number above 0 on the response scale.")
    if not isinstance(assurance, Real) or not 0.0 < float(assurance) <= 1.0:
        raise AnswerError(f"assurance={assurance!r}: a share of simulations, above 0 and at most 1.")
    counts = {"start": [start], "most": [most], "simulations": [simulations], "sizes": [1] if sizes is None else sizes}
    for what, numbers in counts.items():
        numbers = list(numbers) if isinstance(numbers, Sequence | np.ndarray) else [numbers]
        end = MOST_SIMULATIONS if what == "simulations" else LARGEST_SIZE
        wrong = (isinstance(one, bool) or not isinstance(one, Integral) or not 1 <= int(one) <= end for one in numbers)
        if not numbers or any(wrong):
            raise AnswerError(
                f"{what}={numbers if what == 'sizes' else numbers[0]!r}: whole numbers from 1 to {end:,}."
            )
    if sizes is None and start > most:
        raise AnswerError(f"start={start:,} is more than most={most:,}, so no size can be tried. Give a larger most=.")
    return name, float(value)
