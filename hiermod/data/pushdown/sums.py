"""Moments of a real response and numeric predictors in each combination of groups, summed by the engine."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np

from hiermod.data.columns.moments import Feature, centred_products
from hiermod.data.columns.values import once
from hiermod.data.pushdown.tally import COUNT, PREFIX
from hiermod.errors import DataError

CANCELLED = 1e-5  # a sum of squares that lost so much of its size is centred anew
MOST_AGAIN, ROWS_AGAIN = 5000, 500_000  # levels, and rows of these, up to which these groups alone are centred anew
PLACE = f"{PREFIX}place"
LOWEST, HIGHEST, WRONG = "lowest", "highest", "wrong"
Frame = nw.LazyFrame[Any]


def measure(frame: Frame, numbers: Mapping[str, nw.Expr]) -> dict[str, tuple[float, float, float]]:
    """Mean, lowest and highest value of numbers over all rows.

    Raises
    ------
    DataError
        If one is not finite somewhere.
    """
    named = {f"{PREFIX}v{place}": number for place, number in enumerate(numbers.values())}
    made = frame.select(**named)
    wanted = []
    for name in named:
        value = nw.col(name)
        wanted += [
            value.mean().alias(f"{name} mean"), value.min().alias(f"{name} {LOWEST}"),
            value.max().alias(f"{name} {HIGHEST}"), _unusable(value).sum().alias(f"{name} {WRONG}"),
        ]  # fmt: skip
    measured = made.select(*wanted).collect()
    result = {}
    for name, text in zip(named, numbers, strict=True):
        if wrong := int(measured[f"{name} {WRONG}"][0] or 0):
            raise DataError(f"{text} is no finite number in {wrong:,} rows. Leave those rows out.")
        mean, lowest, highest = (float(measured[f"{name} {part}"][0]) for part in ("mean", LOWEST, HIGHEST))
        result[text] = (mean, lowest, highest)
    return result


def _unusable(value: nw.Expr) -> nw.Expr:
    return (value.is_null() | ~value.is_finite()).cast(nw.Int64())


def safe_names(columns: Mapping[str, nw.Expr]) -> tuple[dict[str, nw.Expr], dict[str, str]]:
    """Columns under names that no engine reads as anything else, and what each is called by the user."""
    names = {f"{PREFIX}k{place}": name for place, name in enumerate(columns)}
    return dict(zip(names, columns.values(), strict=True)), names


def grouped_moments(
    frame: Frame, by: Mapping[str, nw.Expr], numbers: Mapping[str, nw.Expr], centres: Mapping[str, float],
    features: Sequence[Feature], response: str,
) -> tuple[nw.DataFrame[Any], np.ndarray, np.ndarray]:  # fmt: skip
    """Group rows; return the groups with their number of rows, means and sums of centred cross-products.

    Parameters
    ----------
    numbers, centres : mappings
        Numbers of each row, and the points from which they are taken.
    features : sequence of Feature
        Products of those numbers; the number named `response` is put last.

    Returns
    -------
    groups : narwhals.DataFrame
        Keys and the number of rows.
    mean : ndarray, shape (groups, features + 1)
        Of features and response, from their centres.
    cross : ndarray, shape (groups, features + 1, features + 1)
    """
    taken = {f"{PREFIX}n{place}": number - centres[name] for place, (name, number) in enumerate(numbers.items())}
    place = dict(zip(numbers, taken, strict=True))
    products = [_product([nw.col(place[name]) for name in feature]) for feature in (*features, (response,))]
    values = [f"{PREFIX}f{index}" for index in range(len(products))]
    keys, names = safe_names(by)
    made = frame.select(**keys, **taken).select(*keys, **dict(zip(values, products, strict=True)))
    groups, mean, cross, share = _summed(made, keys, values)
    if keys and (share < CANCELLED).any():
        few = _rows_of_few(made, groups, share < CANCELLED)
        if few is None:
            mean, cross = _centred_anew(made, keys, values)
        else:
            places, cell, rows = few
            size = groups[COUNT].to_numpy()[places].astype(float)
            columns = [rows[name].to_numpy().astype(float) for name in values]
            mean[places], cross[places] = centred_products(columns, once(len(cell)), cell, size)
    return groups.rename(names), mean, cross


def _rows_of_few(
    frame: Frame, groups: nw.DataFrame[Any], lost: np.ndarray
) -> tuple[np.ndarray, np.ndarray, nw.DataFrame[Any]] | None:
    """The rows of the groups that are `lost`, and of some others; None where these are many.

    With the places of all of these groups, and where among them the group of each row is.
    """
    keys = [name for name in groups.columns if name != COUNT]
    plain = [name for name in keys if groups.schema[name].is_integer() or groups.schema[name] == nw.String]
    if not plain:
        return None
    name = max(plain, key=lambda name: groups[name].n_unique())
    levels = groups.filter(lost.tolist())[name].unique().to_list()
    marked = groups[name].is_in(levels)
    if len(levels) > MOST_AGAIN or groups.filter(marked)[COUNT].sum() > ROWS_AGAIN:
        return None
    numbered = groups.filter(marked).select(*keys).with_row_index(PLACE)
    rows = frame.filter(nw.col(name).is_in(levels)).collect().join(numbered, on=keys, how="inner")
    return np.flatnonzero(marked.to_numpy()), rows[PLACE].to_numpy().astype(np.int64), rows


def _centred_anew(frame: Frame, keys: Collection[str], values: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Means and centred cross-products of groups, in the order of their keys, from their means on."""
    means = frame.group_by(*keys).agg(nw.col(name).mean().alias(f"{name} mean") for name in values)
    joined = frame.join(means, on=list(keys), how="inner")
    nearer = {name: nw.col(name) - nw.col(f"{name} mean") for name in values}
    _, rest, cross, _ = _summed(joined.select(*keys, **nearer), keys, values)
    sorted_means = means.sort(*keys).collect()
    return np.column_stack([sorted_means[f"{name} mean"].to_numpy() for name in values]) + rest, cross


def _product(factors: list[nw.Expr]) -> nw.Expr:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def _summed(
    frame: Frame, keys: Collection[str], values: Sequence[str]
) -> tuple[nw.DataFrame[Any], np.ndarray, np.ndarray, np.ndarray]:
    """Groups in the order of their keys, means, centred cross-products, and the least share of squares left of each."""
    pairs = list(itertools.combinations_with_replacement(range(len(values)), 2))
    squares = {f"{PREFIX}s{row} {column}": nw.col(values[row]) * nw.col(values[column]) for row, column in pairs}
    made = frame.with_columns(**squares)
    sums = [nw.col(name).sum() for name in (*values, *squares)]
    count = nw.len().cast(nw.Int64()).alias(COUNT)
    grouped = (made.group_by(*keys).agg(count, *sums).sort(*keys) if keys else made.select(count, *sums)).collect()
    size = grouped[COUNT].to_numpy().astype(float)
    total = np.column_stack([grouped[name].to_numpy() for name in values])
    cross = np.empty((len(size), len(values), len(values)))
    share = np.ones(len(size))
    for (row, column), name in zip(pairs, squares, strict=True):
        raw = grouped[name].to_numpy()
        centred = raw - total[:, row] * total[:, column] / size
        if row == column:
            centred = centred.clip(min=0.0)
            several = (size > 1) & (raw > 0)
            share[several] = np.minimum(share[several], centred[several] / raw[several])
        cross[:, row, column] = cross[:, column, row] = centred
    return grouped.select(*keys, COUNT), total / size[:, None], cross, share
