"""Which prior each parameter gets: the user's where a key names it, else the default."""

from __future__ import annotations

import itertools
import re
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
from hiermod.errors import DataError, PriorError, enumerate_names
from hiermod.families.record import Family, Parameter, ResponseScale
from hiermod.formula.nodes import without_slash
from hiermod.formula.parts import SPECIFIC_EFFECTS
from hiermod.modeling.coding import prefix_of
from hiermod.modeling.design import CommonDesign, GroupDesign, LinearPredictor, joined
from hiermod.modeling.monotonic import Monotonic
from hiermod.modeling.prior_keys import Entry, Stated, canonical_key, read_stated, refuse_unclear
from hiermod.modeling.shrinkage import Shrunk
from hiermod.modeling.smooths import Smooth
from hiermod.modeling.thresholds import threshold_entries
from hiermod.priors.distributions import DISTRIBUTIONS, Prior
from hiermod.priors.reading import LARGEST, SMALLEST, cut_above, fitted, is_flat, refuse_extreme, refuse_flat
from hiermod.priors.sets import SetPrior

ANY = Prior("HalfNormal", (1.0,))
OF_THRESHOLD = re.compile(rf"{SPECIFIC_EFFECTS}[0-9]+")
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
        case ValueCells(value=value, count=count) if family.link.is_bounded:
            level = float(family.link.forward(np.average(value, weights=count)))
            return ResponseScale(level - float(np.average(offset, weights=count)), level, 1.0)
    return ResponseScale(0.0, 1.0, 1.0)


def _bounded_scale(family: Family, response: BoundedCells, offset: np.ndarray) -> ResponseScale:
    """As of responses that were observed where their bounds are, or in the middle of both.

    On a log link right-censored times are a rate of events: their sum by half an event more than there were.
    """
    count, right = response.count, response.code == RIGHT
    value = np.where(response.code == INTERVAL, (response.value + response.upper) / 2.0, response.value)
    if family.link.name == "log":
        _refuse_negative(family, float((count * value).sum()))
        events = float(count[~right].sum()) + 0.5 * right.any()
        location = np.log((count * value).sum() / events) - np.log(np.average(np.exp(offset), weights=count))
        spread = _identity_scale(value, count, 0.0, offset).unit if family.kind == "real" else 0.0
        return ResponseScale(float(location), 1.0, 1.0, spread=spread)
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
) -> tuple[Priors, tuple[Shrunk, ...], list[str]]:  # fmt: skip
    """Choose a prior for each entry of each variable of the posterior; correlations have one, for their matrix.

    Returns
    -------
    priors : mapping of str to tuple of Prior
    shrunk : tuple of Shrunk
        The sets of slopes that have one prior together.
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
    shrunk, notices = _sets(stated, entries, predictors, family, scale)
    for entry in entries:
        prior, notice = _chosen(entry, stated, common)
        priors.setdefault(entry.variable, []).append(prior)
        notices += [notice] if notice and notice not in notices else []
    chosen = {variable: tuple(entries) for variable, entries in priors.items()}
    return chosen | {name: own for each in shrunk for name, own in each.priors.items()}, shrunk, notices


def _sets(
    stated: Mapping[str, Stated], entries: Sequence[Entry], predictors: Predictors, family: Family, scale: ResponseScale
) -> tuple[tuple[Shrunk, ...], list[str]]:
    """The sets of slopes with one prior, and what to say of coefficients that such a prior leaves out.

    Raises
    ------
    PriorError
        If a prior of a set is of something else, or its unit, the residual standard deviation, is not one number.
    """
    common = joined([predictor.common for predictor in predictors.values()])
    names = [name for block in common.blocks for name in block.row_names()]
    parameters = [block.parameter for block in common.blocks for _ in block.columns]
    blocks = {block.name for block in common.blocks}
    closest = [next((key for key in entry.keys if key in stated), "") for entry in entries]
    of_columns = [pair for pair in zip(entries, closest, strict=True) if pair[0].variable in blocks]
    shrunk: list[Shrunk] = []
    notices: list[str] = []
    for key, one in stated.items():
        if (own := one.of_set) is None:
            continue
        places = np.array(
            [place for place, (entry, by) in enumerate(of_columns) if by == key and entry.slope], dtype=int
        )
        others = [entry for entry, by in zip(entries, closest, strict=True) if by == key and not entry.slope]
        if not len(places) or (others and key.rpartition(" ")[2] != "slope"):
            raise PriorError(
                f"{one.key!r}: {own.name} is a prior of a set of slopes, of numbers' coefficients and of factors' "
                "differences. Give it to 'slope', which is all of them, or to a term by its name."
            )
        parameter = parameters[places[0]]
        by_sigma = _by_sigma(one, own.name, parameter, predictors, family)
        named = tuple(names[place] for place in places)
        shrunk.append(Shrunk(key, own, parameter, places, named, common.scales[places], by_sigma))
        notices += _set_notices(own, others, scale.unit if by_sigma and family.has_unit else 0.0)
    return tuple(shrunk), notices


def _set_notices(own: SetPrior, others: Sequence[Entry], unit: float) -> list[str]:
    """What a set leaves out, and where its slab is narrow beside the response, whose standard deviation is `unit`."""
    kept = enumerate_names(list(dict.fromkeys(entry.keys[0] for entry in others if entry.keys)))
    notices = [f"{own.name} is of coefficients of columns; {kept}: the default priors stay"] if others else []
    slab = own.numbers.get("scale_slab", np.inf)
    if slab < unit:
        notices.append(
            f"{own.name}: scale_slab={slab:g} is in the unit of the response, whose standard deviation is {unit:.4g}: "
            "effects beyond it are held back"
        )
    return notices


def _by_sigma(one: Stated, name: str, parameter: str, predictors: Predictors, family: Family) -> bool:
    """Whether slopes are in units of sigma."""
    if parameter != "mu" or family.link.name != "identity":
        return False
    single = [own.name for own in family.single if own.name not in predictors]
    if family.has_unit and "sigma" not in single:
        raise PriorError(
            f"{one.key!r}: {name} shrinks slopes in units of sigma, the residual standard deviation, which is no one "
            f"number here. Give slopes a prior of their own, such as Laplace(0, 1)."
        )
    return "sigma" in single


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
    if one is None or (one.of_set and not entry.slope):
        return entry.default, ""
    if one.of_set:
        return one.prior, ""
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
        if block.wiggles:
            yield from _smooth(Smooth(block, slices[block.name].start), common, scale)
            continue
        if block.steps:
            yield from _steps(Monotonic(block, slices[block.name].start), common, scale)
            continue
        for name, place in zip(block.row_names(), range(*slices[block.name].indices(len(shifted))), strict=True):
            if kind == "Intercept":
                default = Prior("StudentT", (3.0, scale.location, scale.factor * scale.unit))
            else:
                default = Prior("StudentT", (3.0, 0.0, float(scale.factor * scale.unit / common.scales[place])))
            keys = _keys(block.parameter, (name, block.name, kind))
            yield Entry(block.name, keys, "real", default, shifted=bool(shifted[place]), slope=kind == "slope")


def _smooth(smooth: Smooth, common: CommonDesign, scale: ResponseScale) -> Iterator[Entry]:
    """Of a smooth the slopes of what is not penalised, wiggles in units of their standard deviation, and these."""
    block, spread, shifted = smooth.block, scale.factor * scale.unit, common.shift.any(axis=1)
    free = {int(place) for place in smooth.free}
    for place, name in enumerate(block.row_names(), start=smooth.first):
        line = Prior("StudentT", (3.0, 0.0, float(spread / common.scales[place])))
        if place in free:
            keys = _keys(block.parameter, (name, block.name, "slope"))
            yield Entry(block.name, keys, "real", line, shifted=bool(shifted[place]))
        else:
            yield Entry(block.name, (), "real", Prior("Normal", (0.0, 1.0)))
    wide = Prior("HalfStudentT", (3.0, float(2.5 * scale.unit)))
    whole = (f"sds({block.name})", "sds")
    for curve in smooth.curves:
        yield Entry(curve.sd_name, _keys(block.parameter, (curve.key, *whole)), "positive", wide, True)


def _steps(own: Monotonic, common: CommonDesign, scale: ResponseScale) -> Iterator[Entry]:
    """Of monotonic effects the whole ones, and the shares of their steps, each of which is less than the whole."""
    block, effects = own.block, []
    for name, places in zip(own.row_names, own.places, strict=True):
        default = Prior("StudentT", (3.0, 0.0, float(scale.factor * scale.unit / common.scales[places[0]])))
        effects.append(Entry(own.name, _keys(block.parameter, (name, own.name, "slope")), "real", default))
    yield from effects
    for effect in own.effect_of:
        yield replace(effects[effect], variable=block.name)
    for key in own.share_keys:
        keys = _keys(block.parameter, (key, f"simo({own.name})", "simo"))
        yield Entry(own.shares_name, keys, "chances", Prior("Dirichlet", (1.0,)))


def _keys(parameter: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of an entry by its names, the last of which means a whole kind of entries.

    In the linear predictor of another parameter than the mean, ``sigma_x`` goes by ``sigma: x``, too; in those of
    thresholds, ``cs2_x`` by ``cs2: x``, and with those of the others by ``cs: x``.
    """
    if parameter == "mu":
        return _distinct(*names)
    prefix = prefix_of(parameter)
    *whole, kind = names
    plain = [name.replace(prefix, "", 1) for name in whole]
    behind = [f"{parameter}: {name}" for name in plain]
    of_all = SPECIFIC_EFFECTS if OF_THRESHOLD.fullmatch(parameter) else ""
    together = [f"{of_all}: {name}" for name in plain] if of_all else []
    kinds = [f"{own}: {kind}" for own in (parameter, of_all) if own]
    return _distinct(*itertools.chain(*zip(behind, whole, strict=True)), *together, *kinds)


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
