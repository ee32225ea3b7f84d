"""Cross-products of numeric predictors and a real response within each cell: all that a Gaussian likelihood sees.

A feature is a product of numeric columns, each taken from a fixed centre; with every feature stand those of fewer
columns, so that products of uncentred columns are exact combinations of features.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hiermod.data.columns.predictors import Predictor
from hiermod.data.columns.values import is_once
from hiermod.formula.nodes import Term

ROUNDED = 1e-6  # of a sum of squares about a mean, which rounding of that may add
Feature = tuple[str, ...]
TIMES = " × "


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of features and response within cells (or within rows that an engine has aggregated already).

    Parameters
    ----------
    features : tuple of Feature
        Products of columns, those of fewer columns first.
    centres : mapping
        The point from which each column is taken.
    mean : ndarray, shape (cells, features)
        Means of the features.
    cross : ndarray, shape (cells, features + 1, features + 1)
        Sums of centred cross-products; the response stands last.
    """

    features: tuple[Feature, ...]
    centres: Mapping[str, float]
    mean: np.ndarray
    cross: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that features are made of."""
        return tuple(feature[0] for feature in self.features if len(feature) == 1)

    def chosen(self, keep: np.ndarray) -> Moments:
        """The cells in `keep`."""
        return Moments(self.features, self.centres, self.mean[keep], self.cross[keep])

    def columns(self) -> dict[str, np.ndarray]:
        """Means of each column, and of products of columns (under `product_name`), in each cell; not centred."""
        result = {}
        for feature in self.features:
            result[product_name(feature)] = self._combined(self.mean, feature, {}, constant=1.0)
        return result

    @functools.cached_property
    def factor(self) -> np.ndarray:
        """A factor R of each cell's cross-products, ``R'R = cross``, shape ``(cells, features + 1, features + 1)``.

        Its rows stand for the cell's rows less their mean: both have the same sums of squares and products.
        """
        scale = np.sqrt(np.einsum("cii->ci", self.cross).max(axis=0, initial=0.0))
        scale[scale == 0.0] = 1.0
        values, vectors = np.linalg.eigh(self.cross / scale / scale[:, None])
        return np.sqrt(values.clip(min=0.0))[:, :, None] * np.swapaxes(vectors, 1, 2) * scale

    def means_of(self, product: Sequence[str], centres: Mapping[str, float]) -> np.ndarray:
        """Means of a product of columns, each with its centre in `centres` taken off, shape ``(cells,)``."""
        return self._combined(self.mean, tuple(product), centres, constant=1.0)

    def within(self, product: Sequence[str], centres: Mapping[str, float], factor: np.ndarray) -> np.ndarray:
        """What the rows of `factor` hold of a product of columns, shape ``(cells, features + 1)``."""
        return self._combined(factor, tuple(product), centres, constant=0.0)

    def _combined(
        self, values: np.ndarray, product: Feature, centres: Mapping[str, float], constant: float
    ) -> np.ndarray:
        """``Π (x_n + centre_n − centres_n)`` multiplied out over features, whose values stand on the last axis."""
        place = {feature: index for index, feature in enumerate(self.features)}
        total = np.zeros(values.shape[:-1])
        for kept in subsets(product):
            rest = [name for name in product if name not in kept]
            weight = np.prod([self.centres[name] - centres.get(name, 0.0) for name in rest])
            total += weight * (values[..., place[kept]] if kept else constant)
        return total


def product_name(feature: Sequence[str]) -> str:
    """The name of a column that holds means of a product."""
    return TIMES.join(sorted(feature))


def subsets(product: Iterable[str]) -> list[Feature]:
    """All products of some of the columns, the empty one first, names in order."""
    names = sorted(product)
    return [product for size in range(len(names) + 1) for product in itertools.combinations(names, size)]


def closed(products: Iterable[Iterable[str]]) -> tuple[Feature, ...]:
    """The features for given products: each with all products of some of its columns, shorter ones first."""
    features = {part for product in products for part in subsets(product) if part}
    return tuple(sorted(features, key=lambda feature: (len(feature), feature)))


def feature_values(
    features: Sequence[Feature], frame: Mapping[str, np.ndarray] | pd.DataFrame, centres: Mapping[str, float]
) -> list[np.ndarray]:
    """The features of single rows, a column each."""
    return [
        functools.reduce(np.multiply, (np.asarray(frame[name], dtype=float) - centres[name] for name in feature))
        for feature in features
    ]


def centred_products(
    columns: Sequence[np.ndarray], times: np.ndarray, cell: np.ndarray, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means ``(cells, k)`` and sums of centred cross-products ``(cells, k, k)`` of columns in cells of a `size`.

    What rounding leaves of sums about the mean corrects them, and rows are centred again where that is no small part of
    a square: a mean far from 0 costs no digits.
    """
    weights, width, count = None if is_once(times) else times, len(columns), len(size)
    mean, rest, squares = (np.zeros((count, width)) for _ in range(3))
    residuals, room = [], np.empty(len(cell))

    def total(numbers: np.ndarray) -> np.ndarray:
        return np.bincount(cell, numbers if weights is None else np.multiply(weights, numbers), count)

    def centred(column: int, numbers: np.ndarray, sums: np.ndarray, out: np.ndarray) -> np.ndarray:
        step = sums / size
        mean[:, column] += step
        return np.subtract(numbers, np.take(step, cell, out=room, mode="clip"), out=out)

    for column, numbers in enumerate(columns):
        residual = centred(column, numbers, total(numbers), np.empty(len(cell)))
        for again in range(2):
            rest[:, column], squares[:, column] = total(residual), total(np.multiply(residual, residual, out=room))
            if again or (np.abs(rest[:, column]) <= np.sqrt(ROUNDED * size * squares[:, column])).all():
                break
            residual = centred(column, residual, rest[:, column], residual)
        residuals.append(residual)
    cross = np.empty((count, width, width))
    for row, column in itertools.combinations_with_replacement(range(width), 2):
        products = squares[:, row] if row == column else total(np.multiply(residuals[row], residuals[column], out=room))
        cross[:, row, column] = cross[:, column, row] = products - rest[:, row] * rest[:, column] / size
    return mean + rest / size[:, None], cross


def response_moments(
    values: Sequence[np.ndarray], response: np.ndarray, times: np.ndarray, cell: np.ndarray, size: np.ndarray,
    within: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """`centred_products` of `values` and the response, which stands last; those `within` rows are added."""
    mean, cross = centred_products([*values, response], times, cell, size)
    diagonal = np.einsum("cii->ci", cross)
    np.maximum(diagonal, 0.0, out=diagonal)
    if within is not None:
        flat = within.reshape(len(within), -1)
        cross += _sums(flat, cell, len(size)).reshape(cross.shape)
    return mean, cross


def _sums(values: np.ndarray, cell: np.ndarray, count: int) -> np.ndarray:
    return np.column_stack([np.bincount(cell, column, count) for column in values.T])


@dataclass(frozen=True)
class Averaging:
    """Variables over which cells average, and the products of their columns that stand in the linear predictor."""

    variables: tuple[str, ...] = ()
    features: tuple[Feature, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns over which cells average."""
        return tuple(feature[0] for feature in self.features if len(feature) == 1)


def averaging_over(terms: Iterable[Term], predictors: Mapping[str, Predictor], variables: Collection[str]) -> Averaging:
    """Average over given variables, which stand in `terms`."""
    products: list[tuple[str, ...]] = [(name,) for variable in variables for name in predictors[variable].columns]
    for term in terms:
        columns = [predictors[name].columns for name in term.variables if name in variables]
        products.extend(itertools.product(*columns))
    return Averaging(tuple(variables), closed(products))
