"""Which prior each parameter gets: the user's where a key names it, else the default."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from hiermod.data.cells.statistics import (
    BinomialCells,
    BoundedCells,
    CountCells,
    MeasuredCells,
    RealCells,
    ValueCells,
)
from hiermod.data.cells.table import Cells
from hiermod.data.columns.bounds import INTERVAL, RIGHT
from hiermod.errors import DataError, PriorError
from hiermod.families.record import Family, Parameter, ResponseScale
from hiermod.formula.nodes import without_slash
from hiermod.modeling.coding import prefix_of
from hiermod.modeling.design import CommonDesign, GroupDesign, LinearPredictor, joined
from hiermod.modeling.prior_keys import Entry, Stated, canonical_key, read_stated, refuse_unclear
from hiermod.modeling.smooths import Smooth
from hiermod.modeling.thresholds import threshold_entries
from hiermod.priors.distributions import DISTRIBUTIONS, Prior
from hiermod.priors.reading import LARGEST, SMALLEST, cut_above, fitted, is_flat, refuse_extreme, refuse_flat

ANY = Prior("HalfNormal", (1.0,))
Priors = Mapping[str, tuple[Prior, ...]]
Predictors = Mapping[str, LinearPredictor]


def response_scale(family: Family, cells: Cells, offset: np.ndarray) -> ResponseScale:
    """Measure the response, weighting cells by their rows, trials or exposure; its location is that less the offset.

    On a log link, half a count is added to the total of counts, which may be 0, and half a success and a trial to those
    of rates; positive numbers have their own unit. Where zeros have a part of their own, it is measured above 0.
    """
    link, zeros = family.link.name, bool(family.zeros) and isinstance(cells.response, ValueCells)
    if zeros:
        offset, cells = offset[cells.response.mean > 0.0], cells.above_zero()
    match cells.response:
        case BoundedCells(value=value, count=count):
            return _bounded_scale(family, cells.response, offset)
        case RealCells(mean=mean, count=count, within=within):
            return _identity_scale(mean, count, float(within.sum()), offset)
        case MeasuredCells(row_values=value, row_times=times, count=count):
            scale = _identity_scale(value, times, 0.0, np.zeros(len(value)))
            return replace(scale, location=scale.location - float(np.average(offset, weights=count)))
        case CountCells(total=total, exposure=exposure):
            return _log_scale(float(total.sum()) + 0.5, exposure, offset)
        case BinomialCells(successes=successes, trials=trials) if link == "log":
            return _log_scale(float(successes.sum()) + 0.5, np.append(trials, 1.0), np.append(offset, 0.0))
        case ValueCells(value=value, count=count) if link == "identity":
            scale = _identity_scale(family.transform(value), count, 0.0, offset)
            return replace(scale, smallest=float(value.min()))
        case ValueCells(value=value, count=count) if link == "log":
            _refuse_negative(family, float((count * value).sum()))
            scale = _log_scale(float((count * value).sum()) + 0.5 * (family.counts and not zeros), count, offset)
            spread = _identity_scale(value, count, 0.0, offset).unit if family.kind == "real" else 0.0
            return replace(scale, spread=spread)
        case ValueCells(value=value, count=count) if link == "inverse":
            level = 1.0 / float(np.average(value, weights=count))
            return ResponseScale(level - float(np.average(offset, weights=count)), level, 1.0)
    return ResponseScale(0.0, 1.0, 1.0)


def _bounded_scale(family: Family, response: BoundedCells, offset: np.ndarray) -> ResponseScale:
    """As of responses that were observed where their bounds are, or in the middle of both.

    On a log link right-censored times are a rate of events: their sum by half an event more than there were.
    """
    count, right = response.count, response.code == RIGHT
    value = np.where(response.code == INTERVAL, (response.value + response.upper) / 2.0, response.value)
    if family.link.name == "log":
        events = float(count[~right].sum()) + 0.5 * right.any()
        location = np.log((count * value).sum() / events) - np.log(np.average(np.exp(offset), weights=count))
        return ResponseScale(float(location), 1.0, 1.0)
    scale = _identity_scale(family.transform(value), count, 0.0, offset)
    return replace(scale, smallest=float(np.min(response.upper, where=~right, initial=np.inf)))


def _refuse_negative(family: Family, total: float) -> None:
    if family.kind == "real" and not total > 0.0:
        raise DataError(
            f"The log link of the family {family} is of means above 0, and the responses add up to {total:.4g}. Say "
            f"family='{family.name}', whose link is the identity."
        )


def _identity_scale(mean: np.ndarray, count: np.ndarray, within: float, offset: np.ndarray) -> ResponseScale:
    centre = np.average(mean, weights=count)
    spread = np.sqrt((within + (count * (mean - centre) ** 2).sum()) / count.sum())
    centre -= np.average(offset, weights=count)
    _refuse_extreme("response", float(spread), float(np.abs(mean).max()))
    return ResponseScale(float(centre), float(spread), 2.5)


def _log_scale(total: float, weight: np.ndarray, offset: np.ndarray) -> ResponseScale:
    return ResponseScale(float(np.log(total / (weight * np.exp(offset)).sum())), 1.0, 1.0)


def choose_priors(
    family: Family, cells: Cells, offset: np.ndarray, predictors: Predictors, groups: tuple[GroupDesign, ...],
    user: Mapping[str, Any],
) -> tuple[Priors, list[str]]:  # fmt: skip
    """Choose a prior for each entry of each variable of the posterior; correlations have one, for their matrix.

    Returns
    -------
    priors : mapping of str to tuple of Prior
    notices : list of str
        Where a prior is cut off at the ends of its parameter.

    Raises
    ------
    PriorError
        On a key that names no parameter, or a prior that does not fit its parameter.
    """
    scale = response_scale(family, cells, offset)
    common = joined([predictor.common for predictor in predictors.values()])
    for spread in np.concatenate([common.scales, *(effect.scales for group in groups for effect in group.effects)]):
        _refuse_extreme("predictor", float(spread), 0.0)
    flat = {str(key): str(text) for key, text in user.items() if is_flat(text)}
    stated = read_stated({key: ANY if key in flat else text for key, text in user.items()})
    entries = _entries(family, scale, predictors, groups, stated, cells)
    refuse_unclear(stated, entries, cells.predictors, {block.name for block in common.blocks})
    for key, text in flat.items():
        _refuse_flat(entries, key, text)
    priors: dict[str, list[Prior]] = {}
    notices: list[str] = []
    for entry in entries:
        prior, notice = _chosen(entry, stated, common)
        priors.setdefault(entry.variable, []).append(prior)
        notices += [notice] if notice and notice not in notices else []
    return {variable: tuple(entries) for variable, entries in priors.items()}, notices


def _entries(
    family: Family, scale: ResponseScale, predictors: Predictors, groups: tuple[GroupDesign, ...],
    stated: Mapping[str, Stated] | None = None, cells: Cells | None = None,
) -> list[Entry]:  # fmt: skip
    scales = {name: scale if name == "mu" else parameter_scale(family, predictor, scale, cells)
              for name, predictor in predictors.items()}  # fmt: skip
    coefficients = [_coefficients(predictor.common, scales[name]) for name, predictor in predictors.items()]
    single = [parameter for parameter in family.single if parameter.name not in predictors]
    thresholds = threshold_entries(family, predictors["mu"].common, stated)
    return [*thresholds, *itertools.chain(*coefficients), *_spreads(groups, scales), *_of_family(family, single, scale)]


def parameter_scale(
    family: Family, predictor: LinearPredictor, scale: ResponseScale, cells: Cells | None
) -> ResponseScale:
    """The scale of a linear predictor of another parameter than the mean.

    Its location is the link of a value near the parameter, less the offsets; its unit is 1.
    """
    location = float(predictor.link.forward(family.parameter(predictor.parameter).typical(scale)))
    if predictor.offsets and cells is not None:
        added = sum(cells.frame[name].to_numpy(dtype=float) for name in predictor.offsets)
        location -= float(np.average(added, weights=cells.response.weight))
    return ResponseScale(location, 1.0, 1.0)


def known_keys(family: Family, predictors: Predictors, groups: tuple[GroupDesign, ...]) -> frozenset[str]:
    """The keys of priors that speak of something in a model, as `canonical_key` writes them."""
    entries = _entries(family, ResponseScale(0.0, 1.0, 1.0), predictors, groups)
    return frozenset(key for entry in entries for key in entry.keys)


def _chosen(entry: Entry, stated: Mapping[str, Stated], common: CommonDesign) -> tuple[Prior, str]:
    """The user's prior by the closest key that gives one, else the default; and a notice where that is cut off."""
    one = next((stated[key] for key in entry.keys if key in stated), None)
    if one is None:
        return entry.default, ""
    prior, notice = fitted(one.key, one.prior, entry.support)
    if prior.ends[1] > entry.end:
        prior, notice = cut_above(one.key, prior, entry.end)
    refuse_extreme(one.key, prior)
    if entry.shifted and not prior.located:
        _refuse_without_location(one.key, prior, common)
    return prior, notice


def _refuse_extreme(what: str, spread: float, size: float) -> None:
    if not SMALLEST < spread < LARGEST or not size < LARGEST:
        raise DataError(
            f"A {what} has the standard deviation {spread:.3g}, with which a computer cannot calculate. "
            f"Measure it in other units: between {SMALLEST:g} and {LARGEST:g}."
        )


def _refuse_flat(entries: Sequence[Entry], key: str, text: str) -> None:
    """Refuse a flat prior; the default, ten times as wide, is what to write instead."""
    name, _ = canonical_key(key)
    entry = next(entry for entry in entries if name in entry.keys)
    wide = Prior("LKJ", (1.0,)) if entry.support == "correlation" else entry.default.widened(10.0)
    refuse_flat(key, text, name, wide.describe())


def _coefficients(common: CommonDesign, scale: ResponseScale) -> Iterator[Entry]:
    slices, shifted = common.slices(), common.shift.any(axis=1)
    for block in common.blocks:
        kind = "Intercept" if block is common.intercept else "slope"
        if block.smooth:
            yield from _smooth(Smooth(block, slices[block.name].start), common, scale)
            continue
        for name, place in zip(block.row_names(), range(*slices[block.name].indices(len(shifted))), strict=True):
            if kind == "Intercept":
                default = Prior("StudentT", (3.0, scale.location, scale.factor * scale.unit))
            else:
                default = Prior("StudentT", (3.0, 0.0, float(scale.factor * scale.unit / common.scales[place])))
            keys = _keys(block.parameter, (name, block.name, kind))
            yield Entry(block.name, keys, "real", default, shifted=bool(shifted[place]))


def _smooth(smooth: Smooth, common: CommonDesign, scale: ResponseScale) -> Iterator[Entry]:
    """Of a smooth the slope of its line, the wiggles in units of their standard deviation, and that."""
    block, spread = smooth.block, scale.factor * scale.unit
    line = Prior("StudentT", (3.0, 0.0, float(spread / common.scales[smooth.first])))
    yield Entry(block.name, _keys(block.parameter, (block.name, "slope")), "real", line)
    for _ in smooth.wiggles:
        yield Entry(block.name, (), "real", Prior("Normal", (0.0, 1.0)))
    wide = Prior("HalfStudentT", (3.0, float(2.5 * scale.unit)))
    yield Entry(smooth.sd_name, _keys(block.parameter, (smooth.key, "sds")), "positive", wide, True)


def _keys(parameter: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of an entry by its names, the last of which means a whole kind of entries.

    In the linear predictor of another parameter than the mean, ``sigma_x`` goes by ``sigma: x``, too.
    """
    if parameter == "mu":
        return _distinct(*names)
    prefix = prefix_of(parameter)
    *whole, kind = names
    behind = [f"{parameter}: {name.replace(prefix, '', 1)}" for name in whole]
    return _distinct(*itertools.chain(*zip(behind, whole, strict=True)), f"{parameter}: {kind}")


def _distinct(*keys: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(without_slash, keys)))


def _refuse_without_location(key: str, prior: Prior, common: CommonDesign) -> None:
    centres = ", ".join(f"{name} = {centre:.4g}" for name, centre in common.centres.items())
    *names, last = (record.name for record in DISTRIBUTIONS.values() if record.located)
    raise PriorError(
        f"The prior of {key!r} is stated where the numeric predictors are at their means ({centres}), so it needs "
        f"a location and no bounds: {', '.join(names)} or {last}, not {prior}. An intercept takes any prior with "
        "intercept_at='zero', where they are 0."
    )


def _spreads(groups: tuple[GroupDesign, ...], scales: Mapping[str, ResponseScale]) -> Iterator[Entry]:
    """Standard deviations of group terms, then the correlations of each term."""
    for group in groups:
        keys = iter(group.sd_keys())
        for effect in group.effects:
            units = scales[effect.parameter].unit / effect.scales
            for key, spread in zip(islice(keys, len(effect.scales)), units, strict=True):
                default = Prior("HalfNormal", (float(spread),))
                names = _keys(effect.parameter, (key, f"sd({effect.name})", "sd"))
                yield Entry(effect.sd_name, names, "positive", default, True)
        if group.correlated:
            parameters = {effect.parameter for effect in group.effects}
            of = f"{parameters.pop()}: " if parameters.isdisjoint({"mu"}) and len(parameters) == 1 else ""
            correlation_keys = _distinct(f"{of}cor({group.grouping.name})", f"{of}cor")
            yield Entry(group.correlation_name, correlation_keys, "correlation", Prior("LKJ", (2.0,)))


def _of_family(family: Family, parameters: Sequence[Parameter], scale: ResponseScale) -> Iterator[Entry]:
    for parameter in parameters:
        default, is_spread = parameter.usual_prior(scale), family.scaled and parameter.name == "sigma"
        end = scale.smallest if parameter.below_response else np.inf
        yield Entry(parameter.name, (parameter.name,), parameter.support, default, is_spread, end=end)
