"""Which posterior means and standard deviations exist: powers of parameters under priors with heavy tails.

A prior whose density falls as x^-(k + 1) has means of powers below k alone. The posterior has no more of them in a
direction in which the data do not speak against ever larger values: a coefficient by which successes and failures are
told apart (Ghosh, Li and Mitra 2018, Bayesian Analysis 13, 359-383: only where it does so by itself), or a parameter
such as a shape, with which the family tends to another one. Groups with both outcomes speak against a large standard
deviation, each by one power.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hiermod.data.cells.statistics import BinomialCells, CountCells, PairCells, ValueCells
from hiermod.families.functionals import Functional
from hiermod.families.record import Family
from hiermod.modeling.density_rows import observe
from hiermod.modeling.design import CommonDesign, GroupDesign
from hiermod.modeling.monotonic import monotonic_of
from hiermod.modeling.protocol import ModelSpec
from hiermod.priors.distributions import Prior

ROUNDING = 1e-9
MOST = 2.0  # powers that anything is printed of: means, and standard deviations
LIGHT = ("Normal", "HalfNormal")  # whose tails are lighter than exponential


@dataclass(frozen=True, eq=False)
class Evidence:
    """What each cell says against ever larger and ever smaller linear predictors.

    `up` and `down` are the rates at which its log likelihood falls in the end: 0 where it does not, infinity where it
    falls faster than any line.
    """

    up: np.ndarray
    down: np.ndarray

    def along(self, column: np.ndarray) -> tuple[float, float]:
        """The rates at which the log likelihood falls as a column's coefficient grows, and as it falls."""
        rising = column > 0.0
        size = np.abs(column[column != 0.0])
        up, down = self.up[column != 0.0], self.down[column != 0.0]
        rising = rising[column != 0.0]
        with np.errstate(invalid="ignore"):
            return float((size * np.where(rising, up, down)).sum()), float((size * np.where(rising, down, up)).sum())


def evidence(spec: ModelSpec) -> Evidence:
    """Of each cell, in their order."""
    response, link, size = spec.cells.response, spec.family.link.name, len(spec.cells)
    match response:
        case BinomialCells() if link == "log":  # a rate is bounded by 1
            return Evidence(np.full(size, np.inf), response.successes)
        case BinomialCells():
            up, down = response.trials - response.successes, response.successes
        case PairCells():  # of a beta-binomial row's failures, the first alone falls with the rate
            up = response.count * (response.trials > response.successes)
            up = np.where(response.successes == 0.0, 0.0, up) if spec.family.zeros else up
            down = response.count * (response.successes > 0.0)
        case CountCells():
            return Evidence(np.full(size, np.inf), response.total)
        case ValueCells() if spec.family.zeros:
            return _beside_zeros(spec.family, response)
        case ValueCells() if spec.family.counts:
            return Evidence(np.full(size, np.inf), response.count * response.value)
        case _:
            return Evidence(np.full(size, np.inf), np.full(size, np.inf))
    endless = {"probit": (True, True), "cloglog": (True, False)}.get(link, (False, False))
    up, down = (
        np.where(rate > 0.0, np.inf, 0.0) if fast else np.asarray(rate, dtype=float)
        for rate, fast in zip((up, down), endless, strict=True)
    )
    return Evidence(up, down)


def _beside_zeros(family: Family, response: ValueCells) -> Evidence:
    """Zeros can be of the part that they have for themselves; counts that are never 0 tend to 1 as their mean falls."""
    up = np.where(response.value > 0.0, np.inf, 0.0)
    if not family.counts:
        return Evidence(up, up)
    least = 1.0 if family.zeros == "hurdle" else 0.0
    return Evidence(up, response.count * np.maximum(response.value - least, 0.0))


def tail(prior: Prior) -> float:
    """The power of a parameter from which on its prior has no mean; infinity where there is none."""
    if np.isfinite(prior.support[1]) and (np.isfinite(prior.support[0]) or prior.distribution.support == "positive"):
        return np.inf
    if prior.power > 0.0:
        return prior.power * prior.distribution.moments(*prior.arguments)
    low, high = (float(prior.distribution.quantile(np.array(chance), *prior.arguments)) for chance in (1e-9, 1e-8))
    return -prior.power * np.log(10.0) / np.log(high / low) if 0.0 < low < high else np.inf


def finite_moments(spec: ModelSpec) -> dict[str, float]:
    """By the names of tables, the powers from which on a parameter has no posterior mean; of those up to two alone.

    Of priors that are not known nothing is said.
    """
    found = {**_of_coefficients(spec), **_of_spreads(spec)} if spec.priors else {}
    for parameter in spec.family.parameters if spec.priors else ():
        if parameter.unbounded and parameter.name in spec.predictors:
            blocks = spec.predictors[parameter.name].common.blocks
            rows = [row for block in blocks for row in zip(block.row_names(), spec.priors[block.name], strict=True)]
            found |= {name: tail(prior) for name, prior in rows}
        elif parameter.unbounded:
            found[parameter.name] = tail(spec.priors[parameter.name][0])
    for own in spec.shrunk:  # of scales the data do not speak against large values, with which the slab takes over
        found |= {name: tail(own.priors[name][0]) for name in (*own.shared, own.single) if own.is_horseshoe}
    return {name: power for name, power in found.items() if power <= MOST}


def _tells_apart(spec: ModelSpec) -> bool:
    """Whether responses may be silent about large linear predictors: successes, counts, and zeros."""
    return bool(spec.predictors) and (spec.family.is_rate or spec.family.counts or bool(spec.family.zeros))


def _of_coefficients(spec: ModelSpec) -> dict[str, float]:
    """Of coefficients in the user's coding: those that are made of one without a mean have none either."""
    if not spec.predictors:
        return {}
    common = spec.predictors["mu"].common
    priors = [prior for block in common.blocks for prior in spec.priors[block.name]]
    names = [name for block in common.blocks for name in block.row_names()]
    powers = np.array([tail(prior) for prior in priors])
    for together in spec.shrunk:
        if together.parameter == "mu":
            powers[together.places] = together.prior.moments
    heavy = np.flatnonzero(powers <= MOST)
    if not heavy.size:
        return {}
    silent = _silent(spec, heavy)
    powers = np.where(silent, powers, np.inf)
    made_of = np.where(reported_of_stated(common) != 0.0, powers, np.inf).min(axis=1)
    found = {names[place]: float(made_of[place]) for place in np.flatnonzero(np.isfinite(made_of))}
    for own in monotonic_of(common.blocks):
        wholes = zip(own.row_names, made_of[own.places].min(axis=1).tolist(), strict=True)
        found |= {name: power for name, power in wholes if np.isfinite(power)}
    return found


def _silent(spec: ModelSpec, places: np.ndarray) -> np.ndarray:
    """At which of some places the data do not speak against ever larger coefficients of one sign."""
    common = spec.predictors["mu"].common
    silent = np.zeros(len(common.shift), dtype=bool)
    if _tells_apart(spec):
        said, columns = evidence(spec), centred_columns(spec)
        silent[places] = [min(said.along(columns[:, place])) == 0.0 for place in places]
        return silent
    rows, own = observe(spec.cells), [column for block in common.blocks for column in block.columns]
    silent[places] = [not rows.column(own[place], common.centres).any() for place in places]
    return silent


def reported_of_stated(common: CommonDesign) -> np.ndarray:
    """The matrix that makes coefficients in the user's coding of those of which priors speak."""
    made = product = np.eye(len(common.shift))
    while (product := -product @ common.shift).any():
        made = made + product
    return np.asarray(made)


def centred_columns(spec: ModelSpec) -> np.ndarray:
    """The common design on cells, of the coefficients of which priors speak."""
    common = spec.predictors["mu"].common
    design = np.hstack([block.matrix(spec.cells.frame) for block in common.blocks])
    return np.asarray(np.linalg.solve((np.eye(len(common.shift)) + common.shift).T, design.T).T)


def _of_spreads(spec: ModelSpec) -> dict[str, float]:
    found: dict[str, float] = {}
    own = [term for term in spec.groups if {effect.parameter for effect in term.effects} == {"mu"}]
    for term in own if _tells_apart(spec) else ():
        priors = [prior for effect in term.effects for prior in spec.priors[effect.sd_name]]
        heavy = [place for place, prior in enumerate(priors) if tail(prior) <= MOST]
        if not heavy:
            continue
        names, against = term.sd_keys(), informative_groups(spec, term)
        found.update({names[place]: tail(priors[place]) + against[place] for place in heavy})
    return found


def informative_groups(spec: ModelSpec, term: GroupDesign) -> np.ndarray:
    """Of each of a term's columns, how many groups' data speak against large effects of either sign."""
    said, codes = evidence(spec), spec.cells.codes[term.grouping.name]
    counts = []
    for column in np.hstack([effect.block.matrix(spec.cells.frame) for effect in term.effects]).T:
        size = np.abs(column)
        against = []
        for rising in (column > 0.0, column < 0.0):
            rate = np.where(column == 0.0, 0.0, np.where(rising, said.up, said.down))
            with np.errstate(invalid="ignore"):
                against.append(np.bincount(codes, np.where(rate > 0.0, size, 0.0), term.grouping.size) > 0.0)
        counts.append(int(term.grouping.times[against[0] & against[1]].sum()))
    return np.array(counts)


def exponential_limits(spec: ModelSpec) -> Mapping[str, tuple[float, float]]:
    """By coefficient, the largest c for which exp(c·b) and exp(-c·b) have posterior means, where priors set a limit.

    It is the rate at which the likelihood falls along the coefficient; priors with tails lighter than exponential set
    none. A coefficient in the user's coding has the least limit of those that it is made of.
    """
    if not spec.priors or not _tells_apart(spec):
        return {}
    common = spec.predictors["mu"].common
    priors = [prior for block in common.blocks for prior in spec.priors[block.name]]
    names = [name for block in common.blocks for name in block.row_names()]
    said, columns = evidence(spec), centred_columns(spec)
    together = {place for own in spec.shrunk if own.parameter == "mu" for place in own.places}
    limits = {
        place: said.along(columns[:, place])
        for place, prior in enumerate(priors)
        if (prior.distribution.name not in LIGHT or place in together) and np.isinf(prior.support[1])
    }
    found: dict[str, tuple[float, float]] = {}
    for name, weights in zip(names, reported_of_stated(common), strict=True):
        own = [
            np.array(limits[place] if weights[place] > 0.0 else limits[place][::-1]) / abs(weights[place])
            for place in np.flatnonzero(weights).tolist()
            if place in limits
        ]
        if own:
            up, down = np.min(own, axis=0).tolist()
            found[name] = (up, down)
    for whole in monotonic_of(common.blocks):
        for name, places in zip(whole.row_names, whole.places, strict=True):
            if steps := [found[names[place]] for place in places if names[place] in found]:
                found[name] = min(up for up, _ in steps), min(down for _, down in steps)
    return found


def light_spreads(spec: ModelSpec, outcome: Functional) -> bool:
    """Whether averages over the population of groups may have a posterior mean: a sum, or with a log link exp(sd²/2).

    That of exp(sd²/2) asks for a prior of the standard deviation no wider than ``HalfNormal(1)`` on the scale of its
    column, the default. (Correlated slopes then still tend to infinity, but at values that no draw comes near.)
    """
    if not spec.priors:
        return True
    logarithmic = {name for name, own in spec.predictors.items() if own.link.name == "log" and outcome.needs(name)}
    effects = [effect for term in spec.groups for effect in term.effects if effect.parameter in logarithmic]
    pairs = [pair for own in effects for pair in zip(spec.priors[own.sd_name], own.scales, strict=True)]
    return all(np.isfinite(prior.support[1]) or _no_wider_than_normal(prior, float(scale)) for prior, scale in pairs)


def _no_wider_than_normal(prior: Prior, scale: float) -> bool:
    normal = prior.name == "HalfNormal" and prior.power == 1.0
    return normal and float(prior.arguments[0]) * scale <= 1.0 + ROUNDING


def light_coefficients(spec: ModelSpec, outcome: Functional) -> bool:
    """Whether an outcome has a mean under the prior alone; those of a log link are exp of coefficients."""
    if outcome.share or outcome.of not in spec.predictors:
        return True
    link = spec.predictors[outcome.of].link
    if outcome.link is not None:
        link = outcome.link(link, *[0.5] * len(spec.family.parameters))
    names = [block.name for block in spec.predictors[outcome.of].common.blocks]
    names += [effect.sd_name for term in spec.groups for effect in term.effects if effect.parameter == outcome.of]
    priors = [prior for name in names for prior in spec.priors[name]]
    if any(own.parameter == outcome.of for own in spec.shrunk) and link.name == "log":
        return False
    if link.name == "log":
        return all(prior.distribution.name in LIGHT or np.isfinite(prior.support[1]) for prior in priors)
    return all(tail(prior) > 1.0 for prior in priors)
