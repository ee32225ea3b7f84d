"""What would be concluded under other priors: claims about effects, from refits with half and double their width."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.checks.implied import compared
from hiermod.answers.estimands import effects, rates
from hiermod.answers.parameters.estimates import fixef_draws
from hiermod.answers.reader import BLOCK, block_slices
from hiermod.data.cells.statistics import (
    BinomialCells,
    BoundedCells,
    CountCells,
    ErrorCells,
    MeasuredCells,
    PairCells,
    RealCells,
    ValueCells,
)
from hiermod.errors import AnswerError, ModelError
from hiermod.families.ops import NUMPY, bounded_exp
from hiermod.families.record import scaled
from hiermod.formula.nodes import INTERCEPT
from hiermod.modeling.density_rows import Observed, observe
from hiermod.modeling.model_priors import kinds, log_prior, require_proper, with_width
from hiermod.modeling.pooled import PooledSpec
from hiermod.modeling.protocol import ModelSpec
from hiermod.modeling.spec import Spec
from hiermod.sampling.diagnostics import mean_sizes
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.run import choose_sampler, sample

ALPHAS = (0.99, 1.01)
THRESHOLD = 0.05
FEWEST = 100  # draws
SHARED = 5  # draws, the fewest that Pareto smoothing takes for a tail
AS_FITTED = "as fitted"
WIDTHS = {"half": 0.5, "double": 2.0}
SLOPE = "slope of "
FEW_GROUPS = 12  # that are compared as arms where there is nothing else


def log_likelihood(posterior: Posterior) -> np.ndarray:
    """Shape ``(draws,)``; sufficient statistics of cells serve, so that the rows need not be known."""
    spec = posterior.spec
    if isinstance(spec, PooledSpec):
        return _of_rates(posterior, spec)
    assert isinstance(spec, Spec)
    rows = observe(spec.cells)
    draws = posterior.size
    predictors = {name: _linear_predictor(posterior, spec, rows, name) for name in spec.predictors}
    scalars = {name: posterior.values(name) for name in spec.family.auxiliary if name not in predictors}
    step = max(1, BLOCK // draws)
    total = np.zeros(draws)
    for start in range(0, len(rows), step):
        chosen = slice(start, min(start + step, len(rows)))
        etas = {name: predictor(chosen) for name, predictor in predictors.items()}
        for place, eta in enumerate(etas["mu"]):
            auxiliary = [
                scalars[name] if name in scalars else spec.predictors[name].link.inverse(etas[name][place])
                for name in spec.family.auxiliary
            ]
            total += _row(spec, rows, start + place, eta, auxiliary)
    return total


def _of_rates(posterior: Posterior, spec: PooledSpec) -> np.ndarray:
    """Of the groups' totals given their rates."""
    total = np.zeros(posterior.size)
    for rows in block_slices(spec.grouping.size, posterior.size):
        groups = np.arange(rows.start, rows.stop)
        rates = posterior.rates(groups)
        total += spec.pool.log_likelihood(spec.events[groups], spec.exposure[groups], rates).sum(axis=1)
    return total


def _linear_predictor(
    posterior: Posterior, spec: Spec, rows: Observed, parameter: str
) -> Callable[[slice], np.ndarray]:  # fmt: skip
    """A parameter's linear predictor as a function of some rows of a density, shape ``(rows, draws)``.

    That of mu holds what deviates from means in the rows of a factor, others what their cells have.
    """
    draws, own = posterior.size, spec.predictors[parameter]
    offset = rows.offset(own.offsets, parameter)
    common = [(rows.matrix(block), posterior.values(block.name).reshape(draws, -1)) for block in own.common.blocks]
    varying = [
        (rows.matrix(effect.block), rows.codes(term.grouping), effects)
        for term in spec.groups
        for effect, effects in zip(term.effects, posterior.effects(term), strict=True)
        if effect.parameter == parameter
    ]

    def predictor(chosen: slice) -> np.ndarray:
        total = np.tile(offset[chosen, None], (1, draws))
        for matrix, coefficients in common:
            total += matrix[chosen] @ coefficients.T
        for matrix, codes, group_effects in varying:
            total += np.einsum("rk,srk->rs", matrix[chosen], group_effects[:, codes[chosen]])
        return total

    return predictor


def _row(spec: Spec, rows: Observed, row: int, predictor: np.ndarray, auxiliary: list[np.ndarray]) -> np.ndarray:
    response, family = spec.cells.response, spec.family
    match response:
        case BinomialCells(successes=successes, trials=trials):
            return family.observation_density((successes[row], trials[row]), predictor)
        case CountCells(total=total, exposure=exposure):
            return total[row] * predictor - exposure[row] * bounded_exp(NUMPY, predictor)
        case BoundedCells(count=count):
            bounds = tuple(part[row] for part in response.parts)
            return count[row] * family.observation_density(bounds, predictor, auxiliary)
        case ValueCells(value=value, count=count):
            factors = spec.shape_exposure(spec.cells.frame)
            own = auxiliary if factors is None else scaled(auxiliary, factors[row])
            return count[row] * family.observation_density((value[row],), predictor, own)
        case PairCells(successes=successes, trials=trials, count=count):
            return count[row] * family.observation_density((successes[row], trials[row]), predictor, auxiliary)
        case ErrorCells(mean=mean, error=error, count=count):
            return count[row] * family.observation_density((mean[row], error[row]), predictor, auxiliary)
        case MeasuredCells(mean=mean, error=error, count=count, within=within):
            scale = auxiliary[0] if auxiliary else 1.0
            squares = ((mean[row] - predictor) / error[row]) ** 2 + within[row]
            return -0.5 * squares / scale**2 - count[row] * np.log(scale)
    assert isinstance(response, RealCells)
    (sigma,) = auxiliary
    if row >= len(response.mean):  # a row of the factor of a cell's cross-products, which counts no further response
        return -0.5 * ((rows.response[row - len(response.mean)] - predictor) / sigma) ** 2
    squares = response.count[row] * (response.mean[row] - predictor) ** 2
    if not rows.factor.shape[1]:
        squares = squares + response.within[row]
    return -0.5 * squares / sigma**2 - response.count[row] * np.log(sigma)


def power_scaling(posterior: Posterior, quantities: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """A row per quantity: its sensitivity to ``prior`` and ``likelihood``, and a ``diagnosis``.

    Parameters
    ----------
    posterior : Posterior
    quantities : mapping of str to numpy.ndarray
        Draws of shape ``(chains, draws)``.

    Raises
    ------
    ModelError
        If the prior is improper, or not known here.
    AnswerError
        If draws are too few.
    """
    spec = posterior.spec
    require_proper(spec, "Sensitivity to priors")
    if not spec.priors and isinstance(spec, PooledSpec):
        raise ModelError("Sensitivity to priors: pooling='none' has no prior that could be wider. Say pooling='beta'.")
    if posterior.size < FEWEST:
        raise AnswerError(f"Power-scaling needs at least {FEWEST} draws; this fit has {posterior.size}.")
    densities = {"prior": log_prior(spec, posterior.values), "likelihood": log_likelihood(posterior)}
    columns = {}
    for component, density in densities.items():
        lower, upper = (_weights(density.reshape(posterior.shape), alpha) for alpha in ALPHAS)
        columns[component] = [
            float(array_stats.power_scale_sense(draws, lower, upper, *ALPHAS)) for draws in quantities.values()
        ]
    table = pd.DataFrame(columns, index=pd.Index(list(quantities), name="parameter"))
    table["diagnosis"] = [_diagnosis(*row) for row in table.itertuples(index=False)]
    return table


def _weights(density: np.ndarray, alpha: float) -> np.ndarray:
    """Importance weights of raising a density to a power, which sum to one.

    They are Pareto-smoothed, unless several draws share the largest one, as where a likelihood rounds to 1: such a tail
    ends there.
    """
    logs = (alpha - 1.0) * density
    if (logs == logs.max()).sum() < SHARED:
        logs = array_stats.power_scale_lw(density, alpha=alpha, axis=(0, 1))
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def _diagnosis(prior: float, likelihood: float) -> str:
    if prior < THRESHOLD:
        return "-"
    return "prior and data disagree" if likelihood >= THRESHOLD else "strong prior or weak data"


def refit(posterior: Posterior, announce: Callable[[str], None]) -> tuple[dict[str, Posterior], list[str]]:
    """Fit with priors of other widths, with the seed of the posterior; return the fits by name, and notices."""
    spec = posterior.spec
    settings = replace(posterior.asked, seed=posterior.settings.seed)
    fits, notices = {}, []
    for kind, (name, factor) in product(kinds(spec), WIDTHS.items()):
        label, other = f"{name} width of {kind}", with_width(spec, kind, factor)
        sampler = choose_sampler(other, settings.engine, announce)
        fits[label] = sample(other, sampler, settings, False, announce)
        if fits[label].interrupted:  # fewer draws would pass for what the prior does
            raise KeyboardInterrupt
        notices += [f"{label}: {notice}" for notice in fits[label].run_notices]
    return fits, notices


def conclusions(posteriors: dict[str, Posterior], claim: Arguments) -> pd.DataFrame:
    """A row per claim and fit: ``priors, quantity, estimate, lower, upper, prob_beats, mc_error``.

    What is claimed is an effect of the variable between two levels, in `by` cells; without one, all that suit a model.
    """
    tables = [_claims(posterior, claim).assign(priors=label) for label, posterior in posteriors.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[["priors", *(name for name in table if name != "priors")]]


def arms_of(spec: ModelSpec, claim: Arguments) -> list[str]:
    """The predictors whose levels are compared: the one that is named, or all that have arms."""
    if claim.variable is not None:
        return [claim.variable]
    return [] if spec.family.categories and claim.outcome is None else list(compared(spec))


def _claims(posterior: Posterior, claim: Arguments) -> pd.DataFrame:
    spec = posterior.spec
    names = arms_of(spec, claim)
    level = {"Intercept", *(entry.name for entry in spec.family.entries), *_intercepts(spec)}
    common = fixef_draws(posterior, wiggles=False) if spec.predictors else {}
    slopes = {name: draws for name, draws in common.items() if name not in level}
    if not names and slopes:
        return pd.concat([_slope(posterior, *slope, claim.prob) for slope in slopes.items()], ignore_index=True)
    asks = not spec.family.categories or claim.outcome is not None  # for one number
    if not names and claim.groups == "observed" and asks:
        factors = spec.cells.groupings.items()
        names = sorted(name for name, own in factors if 2 <= own.size <= FEW_GROUPS and len(own.columns) == 1)
    if names:
        return pd.concat([_effects(posterior, replace(claim, variable=name)) for name in names], ignore_index=True)
    answer = rates.rates(posterior, Arguments(by=claim.by, groups=claim.groups, prob=claim.prob, outcome=claim.outcome))
    return _rows(posterior, answer, answer.question.measure.name, np.full((len(answer.table), 1), np.nan))


def _intercepts(spec: ModelSpec) -> set[str]:
    """The names of linear predictors' intercepts."""
    if not spec.predictors:
        return set()
    blocks = [block for own in spec.predictors.values() for block in own.common.blocks if block.term == INTERCEPT]
    return {name for block in blocks for name in block.row_names()}


def _effects(posterior: Posterior, claim: Arguments) -> pd.DataFrame:
    answer = effects.effect(posterior, claim)
    draws = answer.draws.transpose("row", "chain", "draw").to_numpy()
    better = np.sign(draws.reshape(len(draws), -1)) * (1.0 if claim.goal == "max" else -1.0)
    return _rows(posterior, answer, claim.variable, 0.5 * (1.0 + better))


def _slope(posterior: Posterior, name: str, draws: np.ndarray, prob: float) -> pd.DataFrame:
    lower, upper = np.quantile(draws, [(1.0 - prob) / 2.0, (1.0 + prob) / 2.0])
    above = 0.5 * (1.0 + np.sign(draws))
    row = {"quantity": f"{SLOPE}{name}", "estimate": draws.mean(), "lower": lower, "upper": upper}
    return pd.DataFrame([row | _chance(posterior, above)])


def _rows(posterior: Posterior, answer: Answer, name: str, beats: np.ndarray) -> pd.DataFrame:
    columns = ["estimate", "lower", "upper"]
    keys = answer.draws.indexes["row"].to_frame(index=False)
    by = [key for key in keys if key in (*answer.question.by, answer.question.categories)]
    texts = []
    for _, row in keys.iterrows():
        contrast = f"{name}, {row['contrast']}" if "contrast" in keys else name
        texts.append(", ".join([contrast, *(f"{key} {row[key]}" for key in by)]))
    chances = [_chance(posterior, own) for own in beats]
    return pd.DataFrame({"quantity": texts}).join(answer.table[columns]).join(pd.DataFrame(chances))


def _chance(posterior: Posterior, beats: np.ndarray) -> dict[str, float]:
    """The mean of an indicator and its Monte Carlo standard error, of at least one effective draw."""
    if np.isnan(beats).any():
        return {"prob_beats": np.nan, "mc_error": np.nan}
    chains, draws = posterior.shape
    size = float(mean_sizes(beats.reshape(chains, draws, 1))[0]) if draws >= 4 else float(beats.size)
    chance = float(beats.mean())
    return {"prob_beats": chance, "mc_error": float(max(np.sqrt(chance * (1.0 - chance) / size), 1.0 / size))}


def strength(chance: float, threshold: float) -> str:
    """What a chance amounts to: ``for`` from the threshold on, ``against`` from one minus it down, else ``open``."""
    return "for" if chance >= threshold else "against" if 1.0 - chance >= threshold else "open"


def changes(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The rows under other priors whose chance amounts to something else than as fitted, beyond Monte Carlo error."""
    fitted = table[table["priors"] == AS_FITTED].set_index("quantity")[["prob_beats", "mc_error"]]
    base = fitted.loc[table["quantity"]].to_numpy(dtype=float)
    own = table[["prob_beats", "mc_error"]].to_numpy(dtype=float)
    other = [strength(float(before), threshold) != strength(float(after), threshold)
             for before, after in zip(base[:, 0], own[:, 0], strict=True)]  # fmt: skip
    beyond = np.abs(own[:, 0] - base[:, 0]) > 2.0 * np.hypot(base[:, 1], own[:, 1])
    return table[np.array(other) & beyond]
