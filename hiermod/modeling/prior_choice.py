"""Which prior each parameter gets: the user's where a key names it, else the default."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hiermod.data.cells.statistics import CountCells, RealCells, ValueCells
from hiermod.data.cells.table import Cells
from hiermod.errors import DataError, PriorError, did_you_mean
from hiermod.families.record import Family, ResponseScale
from hiermod.formula.nodes import without_slash
from hiermod.formula.parser import canonical
from hiermod.modeling.coding import Block
from hiermod.modeling.design import CommonDesign, GroupDesign, GroupEffect
from hiermod.priors.distributions import DISTRIBUTIONS, Prior
from hiermod.priors.reading import read_prior, require_support

SMALLEST, LARGEST = 1e-100, 1e100
Priors = Mapping[str, tuple[Prior, ...]]
Given = Mapping[str, Prior]


def response_scale(family: Family, cells: Cells, offset: np.ndarray) -> ResponseScale:
    """Measure the response, weighting cells by their rows, trials or exposure; its location is that less the offset.

    On a log link, half a count is added to the total of counts, which may be 0; positive numbers have their own unit.
    """
    match cells.response:
        case RealCells(mean=mean, count=count, within=within):
            return _identity_scale(mean, count, float(within.sum()), offset)
        case CountCells(total=total, exposure=exposure):
            return _log_scale(float(total.sum()) + 0.5, exposure, offset)
        case ValueCells(value=value, count=count) if family.link.name == "identity":
            return _identity_scale(family.transform(value), count, 0.0, offset)
        case ValueCells(value=value, count=count) if family.link.name == "log":
            return _log_scale(float((count * value).sum()) + 0.5 * family.counts, count, offset)
    return ResponseScale(0.0, 1.0, 1.0)


def _identity_scale(mean: np.ndarray, count: np.ndarray, within: float, offset: np.ndarray) -> ResponseScale:
    centre = np.average(mean, weights=count)
    spread = np.sqrt((within + (count * (mean - centre) ** 2).sum()) / count.sum())
    centre -= np.average(offset, weights=count)
    _refuse_extreme("response", float(spread), float(np.abs(mean).max()))
    return ResponseScale(float(centre), float(spread), 2.5)


def _log_scale(total: float, weight: np.ndarray, offset: np.ndarray) -> ResponseScale:
    return ResponseScale(float(np.log(total / (weight * np.exp(offset)).sum())), 1.0, 1.0)


def choose_priors(
    family: Family, cells: Cells, offset: np.ndarray, common: CommonDesign, groups: tuple[GroupDesign, ...],
    user: Mapping[str, str],
) -> Priors:  # fmt: skip
    """Choose a prior for each entry of each variable of the posterior; correlations have one, for their matrix.

    Raises
    ------
    PriorError
        On a key that names no parameter, or a prior that does not fit its parameter.
    """
    given = {canonical_key(str(key)): read_prior(str(key), text) for key, text in user.items()}
    _refuse_unclear(given, family, common, groups)
    scale = response_scale(family, cells, offset)
    for spread in np.concatenate([common.scales, *(effect.scales for group in groups for effect in group.effects)]):
        _refuse_extreme("predictor", float(spread), 0.0)
    priors = {block.name: _coefficients(block, common, scale, given) for block in common.blocks}
    for group in groups:
        priors |= {effect.sd_name: _sds(effect, scale, given) for effect in group.effects}
        if group.correlated:
            stated = _stated(given, "correlation", f"cor({group.grouping.name})", "cor")
            priors[group.correlation_name] = (stated or Prior("LKJ", (2.0,)),)
    for parameter in family.parameters:
        stated = _stated(given, "positive", parameter.name)
        priors[parameter.name] = (stated or parameter.usual_prior(scale),)
    return priors


def canonical_key(key: str) -> str:
    """A key as parameters are named: ``sd(poly(x,2)|g)`` is ``sd(poly(x, 2)|g)``."""
    if key.startswith("sd(") and key.endswith(")") and "|" in key:
        term, _, group = key[3:-1].rpartition("|")
        return without_slash(f"sd({canonical(term)}|{group})")
    return without_slash(canonical(key))


def _refuse_extreme(what: str, spread: float, size: float) -> None:
    if not SMALLEST < spread < LARGEST or not size < LARGEST:
        raise DataError(
            f"A {what} has the standard deviation {spread:.3g}, with which a computer cannot calculate. "
            f"Measure it in other units: between {SMALLEST:g} and {LARGEST:g}."
        )


def _coefficients(block: Block, common: CommonDesign, scale: ResponseScale, given: Given) -> tuple[Prior, ...]:
    columns, kind = common.slices()[block.name], _kind(block, common)
    if stated := _stated(given, "real", block.name, kind):
        if common.shift[columns].any() and not stated.distribution.located:
            _refuse_without_location(block.name if block.name in given else kind, stated, common)
        return (stated,) * len(block.columns)
    if kind == "Intercept":
        return (Prior("StudentT", (3.0, scale.location, scale.factor * scale.unit)),) * len(block.columns)
    spreads = scale.factor * scale.unit / common.scales[columns]
    return tuple(Prior("StudentT", (3.0, 0.0, float(spread))) for spread in spreads)


def _kind(block: Block, common: CommonDesign) -> str:
    """Where there is no intercept, the first full set of indicators stands in for it."""
    stands_in = next((other for other in common.blocks if other.spans_constant), None)
    return "Intercept" if block is stands_in else "slope"


def _refuse_without_location(key: str, prior: Prior, common: CommonDesign) -> None:
    centres = ", ".join(f"{name} = {centre:.4g}" for name, centre in common.centres.items())
    *names, last = (record.name for record in DISTRIBUTIONS.values() if record.located)
    raise PriorError(
        f"The prior of {key!r} is stated where the numeric predictors are at their means ({centres}), so it needs "
        f"a location: {', '.join(names)} or {last}, not {prior}."
    )


def _sds(effect: GroupEffect, scale: ResponseScale, given: Given) -> tuple[Prior, ...]:
    if stated := _stated(given, "positive", f"sd({effect.name})", "sd"):
        return (stated,) * len(effect.scales)
    return tuple(Prior("HalfNormal", (float(spread),)) for spread in scale.unit / effect.scales)


def _stated(given: Given, support: str, *keys: str) -> Prior | None:
    """The user's prior of a parameter, by the first key that gives one."""
    key = next((key for key in keys if key in given), None)
    return None if key is None else require_support(key, given[key], support)


def _refuse_unclear(given: Given, family: Family, common: CommonDesign, groups: tuple[GroupDesign, ...]) -> None:
    """Refuse a key that names no parameter, or parameters of a kind as well as a column."""
    names = [block.name for block in common.blocks]
    for key in {"slope", "sd", "cor"} & set(names) & set(given):
        raise PriorError(f"The key {key!r} means a kind of parameters, and here a column too. Rename the column.")
    known = names + [_kind(block, common) for block in common.blocks]
    known += [f"sd({effect.name})" for group in groups for effect in group.effects] + (["sd"] if groups else [])
    correlated = [f"cor({group.grouping.name})" for group in groups if group.correlated]
    known += correlated + (["cor"] if correlated else []) + list(family.auxiliary)
    for key in given:
        if key not in known:
            term = next((name for name in known if key.startswith(f"{name}[")), None)
            if term is not None:
                raise PriorError(
                    f"The model has no parameter {key!r} to give a prior. A prior is for the whole term: {term!r}."
                )
            raise PriorError(
                f"The model has no parameter {key!r} to give a prior.{did_you_mean(key, dict.fromkeys(known))}"
            )
