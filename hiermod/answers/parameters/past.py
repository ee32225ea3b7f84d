"""Priors from past experiments: distributions matched to a parameter's posterior, or to the population it is from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from hiermod.answers.group_effects import covariance_factor, standard_deviations
from hiermod.answers.parameters.estimates import fixef_draws
from hiermod.errors import PriorError, did_you_mean
from hiermod.modeling.design import GroupDesign, joined
from hiermod.priors.distributions import Prior
from hiermod.sampling.posterior import Posterior

LIGHT = 30.0  # degrees of freedom, from which a t distribution is as good as normal
LONGEST = 100  # letters of a formula
STEPS = 100


@dataclass(frozen=True, eq=False)
class Past:
    """What a past fit says of a parameter.

    Parameters
    ----------
    draws : ndarray, shape (draws,)
        Of the parameter where priors of the fit stand, or of its value in a group that is not there yet.
    words : str
        What it is and where it stands.
    positive : bool
        Whether it is above 0, as standard deviations are.
    """

    draws: np.ndarray
    words: str
    positive: bool = False


def past(posterior: Posterior, name: str) -> Past:
    """Look a parameter up by the name that `Model.prior_summary` has, or a population, such as ``treated|country``.

    Raises
    ------
    PriorError
        With the nearest name, where there is none.
    """
    spec, formula = posterior.spec, str(posterior.spec.formula)
    source = formula if len(formula) <= LONGEST else f"{formula[:LONGEST]}…"
    if not spec.predictors:
        raise PriorError(
            f"The fit of {source} has no coefficients: give its pooled rates a prior by 'rate' and 'size'."
        )
    coefficients = _centred(posterior, fixef_draws(posterior))
    spreads = _spreads(posterior)
    populations = {f"{'1' if row == 'Intercept' else row}|{term.grouping.name}": (term, row)
                   for term in spec.groups for row in term.row_names}  # fmt: skip
    if name in coefficients:
        return Past(coefficients[name], f"{name!r} of {source}{_where(posterior, name)}")
    if name in spreads:
        return Past(spreads[name], f"{name!r} of {source}", positive=True)
    if name in populations:
        term, row = populations[name]
        words = f"population of {name!r}, {term.grouping.size} levels, of {source}{_where(posterior, row)}"
        return Past(_population(posterior, term, row), words)
    known = [*coefficients, *populations, *spreads]
    raise PriorError(f"The fit of {source} has no parameter {name!r}.{did_you_mean(str(name), known)}")


def _centred(posterior: Posterior, draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Coefficients where priors stand."""
    if not draws:
        return {}
    design = joined([predictor.common for predictor in posterior.spec.predictors.values()])
    names = [name for block in design.blocks for name in block.row_names()]
    if not names:
        return dict(draws)
    values = np.stack([draws[name] for name in names])
    return {**draws, **dict(zip(names, values + design.shift @ values, strict=True))}


def _where(posterior: Posterior, name: str) -> str:
    """Where numeric predictors stand for a coefficient, as far as that plays a part."""
    rows = posterior.spec.prior_rows() if posterior.spec.priors else []
    place = next((at for parameter, _, _, at in rows if parameter == name), "").partition(";")[0]
    return f", at {place}" if " = " in place else ""


def _spreads(posterior: Posterior) -> dict[str, np.ndarray]:
    draws = {name: posterior.values(name) for name in posterior.spec.scalars}
    for term in posterior.spec.groups:
        draws |= dict(zip(term.sd_keys(), standard_deviations(posterior, term).T, strict=True))
    return draws


def _population(posterior: Posterior, term: GroupDesign, row: str) -> np.ndarray:
    """Draws of a coefficient of a group that is not there yet: the common one with the group's effect."""
    rng, common = posterior.generator(3000, row), fixef_draws(posterior)
    of_group: dict[str, np.ndarray] = {}
    for other in posterior.spec.groups:
        if other.grouping.name == term.grouping.name:
            normals = rng.standard_normal((posterior.size, len(other.row_names)))
            effects = np.einsum("dij,dj->di", covariance_factor(posterior, other), normals)
            of_group |= dict(zip(other.row_names, effects.T, strict=True))
    if row not in common:
        return of_group[row]
    together = {name: draws + of_group.get(name, 0.0) for name, draws in common.items()}
    return _centred(posterior, together)[row]


def matched(one: Past, distribution: str, inflation: float) -> Prior:
    """The distribution of the same centre as draws, so many times as wide."""
    draws = one.draws
    nu = _degrees(draws) if distribution == "StudentT" else math.inf
    centre, scale = (float(draws.mean()), float(draws.std(ddof=1))) if nu > LIGHT else _t_fit(draws, nu)
    return _prior(nu, centre, scale * inflation, one.positive, f"{one.words}, scale times {inflation:g}")


def of_several(pasts: Mapping[str, Past], name: str, distribution: str, inflation: float) -> Prior:
    """The distribution of the value in an experiment to come, given those of several before.

    Values of experiments are normal about a mean, with a variance between them by Paule and Mandel (1982). The next
    one has a t distribution with a degree of freedom less than there are experiments (Higgins et al. 2009).
    """
    means = np.array([one.draws.mean() for one in pasts.values()])
    variances = np.array([one.draws.var(ddof=1) for one in pasts.values()])
    between = paule_mandel(means, variances)
    weight = 1.0 / (between + variances)
    centre, scale = float(weight @ means / weight.sum()), math.sqrt(between + 1.0 / weight.sum())
    words = (
        f"{name!r} of {len(pasts)} fits, standard deviation between them {math.sqrt(between):.3g}, scale times "
        f"{inflation:g}"
    )
    nu = len(pasts) - 1.0 if distribution == "StudentT" else math.inf
    return _prior(nu, centre, scale * inflation, next(iter(pasts.values())).positive, words)


def paule_mandel(means: np.ndarray, variances: np.ndarray) -> float:
    """The variance between experiments, under which their weighted squares add up to what is expected; at least 0."""
    freedom = len(means) - 1.0

    def excess(between: float) -> float:
        weight = 1.0 / (between + variances)
        return float(weight @ (means - weight @ means / weight.sum()) ** 2) - freedom

    if freedom == 0.0 or excess(0.0) <= 0.0:
        return 0.0
    return float(optimize.brentq(excess, 0.0, float(((means - means.mean()) ** 2).sum() / freedom), xtol=1e-14))


def _degrees(draws: np.ndarray) -> float:
    """The t distribution's degrees of freedom, by the greatest likelihood over a grid of them."""
    grid = np.geomspace(1.0, 2.0 * LIGHT, 30)
    heights = [_t_height(draws, nu, *_t_fit(draws, nu)) for nu in grid]
    best = float(grid[int(np.argmax(heights))])
    normal = -0.5 * len(draws) * (np.log(2.0 * np.pi * draws.var()) + 1.0)
    return math.inf if normal >= max(heights) - 2.0 else best


def _t_height(draws: np.ndarray, nu: float, centre: float, scale: float) -> float:
    constant = math.lgamma(0.5 * (nu + 1.0)) - math.lgamma(0.5 * nu) - 0.5 * math.log(nu * math.pi) - math.log(scale)
    return float(len(draws) * constant - 0.5 * (nu + 1.0) * np.log1p(((draws - centre) / scale) ** 2 / nu).sum())


def _t_fit(draws: np.ndarray, nu: float) -> tuple[float, float]:
    """Location and scale of a t distribution by the greatest likelihood, reweighting draws (Lange et al. 1989)."""
    centre, scale = float(np.median(draws)), float(draws.std())
    for _ in range(STEPS):
        weight = (nu + 1.0) / (nu + ((draws - centre) / scale) ** 2)
        before, centre = (centre, scale), float(weight @ draws / weight.sum())
        scale = math.sqrt(float(weight @ (draws - centre) ** 2) / len(draws))
        if abs(scale - before[1]) + abs(centre - before[0]) < 1e-8 * scale:
            break
    return centre, scale


def _prior(nu: float, centre: float, scale: float, positive: bool, origin: str) -> Prior:
    """With as many digits as the scale gives reason for."""
    decimals = 2 - math.floor(math.log10(scale))
    numbers = (round(centre, decimals), round(scale, decimals))
    lower = 0.0 if positive else -math.inf
    if nu > LIGHT:
        return Prior("Normal", numbers, lower=lower, origin=origin)
    return Prior("StudentT", (float(f"{nu:.3g}"), *numbers), lower=lower, origin=origin)
