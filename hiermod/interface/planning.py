"""`plan`: how many trials an experiment needs, by simulation."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from hiermod.answers.answer import check_prob
from hiermod.answers.averaging.columns import check_column, check_columns
from hiermod.answers.draws import check_goal
from hiermod.choices import Goal, Groups
from hiermod.errors import AnswerError
from hiermod.families.names import FamilyName
from hiermod.interface.fit import Fit
from hiermod.interface.plan_runs import Aim, Plan, run_plan
from hiermod.interface.scenarios import of_fit, of_formula
from hiermod.sampling.settings import Settings, fresh_seed


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
    if groups == "new":
        raise AnswerError(
            "groups='new': a plan simulates the groups of its design. Say 'population' for the mean over all groups "
            "there could be, or 'observed'."
        )
    wanted = Aim(*aim, assurance, variable, names, groups, goal, prob)
    report = _Progress() if progress else lambda *_: None
    try:
        return run_plan(scenario, wanted, None if sizes is None else sorted(set(map(int, sizes))), start, most, report)
    finally:
        if isinstance(report, _Progress):
            report.close()


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
        if not numbers or any(isinstance(one, bool) or not isinstance(one, Integral) or one < 1 for one in numbers):
            raise AnswerError(f"{what}={numbers if what == 'sizes' else numbers[0]!r}: whole numbers from 1 on.")
    if sizes is None and start > most:
        raise AnswerError(f"start={start:,} is more than most={most:,}, so no size can be tried. Give a larger most=.")
    return name, float(value)


class _Progress:
    """One line on stderr that is written over."""

    def __init__(self) -> None:
        self.last, self.shown = 0.0, False

    def __call__(self, size: int, done: int, share: float) -> None:
        now = time.monotonic()
        if now - self.last > 0.25:
            sys.stderr.write(f"\rhiermod: {size:,} trials: {done} simulations, aim reached in {share:.0%}\x1b[K")
            sys.stderr.flush()
            self.last, self.shown = now, True

    def close(self) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
