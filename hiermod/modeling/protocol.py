"""What every model of given data answers, its variables among it: their names, dims and labels follow Bambi's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from hiermod.data.cells.table import Cells
from hiermod.data.columns.groupings import Grouping
from hiermod.families.functionals import Functional
from hiermod.families.record import THRESHOLDS, Family
from hiermod.formula.nodes import Formula
from hiermod.modeling.coding import Block
from hiermod.modeling.design import GroupDesign, LinearPredictor
from hiermod.modeling.monotonic import Monotonic
from hiermod.modeling.prior_choice import Priors
from hiermod.modeling.shrinkage import Shrunk
from hiermod.modeling.smooths import Smooth, smooths_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

DIMS = ("chain", "draw")
Values = dict[str, np.ndarray]  # by variable
Labels = Sequence[str]
Dims = tuple[tuple[str, ...], tuple[Labels, ...]]  # names, and the labels of each


@dataclass(frozen=True)
class Variable:
    """A variable of a posterior.

    Parameters
    ----------
    name : str
        Such as ``treated``, ``1|country_sigma`` or ``sigma``.
    dims : tuple of str
        Without ``chain, draw``.
    labels : tuple of sequences of str
        The labels of each dim.
    parameter : str
        The family's parameter that it is part of, or is.
    role : {"coefficient", "sd", "correlation", "effect", "share", "scale", "family"}
    stored : bool
        Whether a posterior holds its draws.
    """

    name: str
    dims: tuple[str, ...]
    labels: tuple[Labels, ...]
    parameter: str
    role: Literal["coefficient", "sd", "correlation", "effect", "share", "scale", "family"]
    stored: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape in one draw."""
        return tuple(len(labels) for labels in self.labels)


def _dims(name: str, labels: tuple[str, ...] | None) -> Dims:
    """One dim of these labels; none of a single number."""
    return ((f"{name}_dim",), (labels,)) if labels else ((), ())


def linear_variables(
    predictors: Mapping[str, LinearPredictor],
    groups: Iterable[GroupDesign],
    family: Iterable[str],
    shrunk: Iterable[Shrunk] = (),
) -> Iterator[Variable]:
    """Common coefficients, the family's parameters, then each group term's sds, correlations and effects."""
    for predictor in predictors.values():
        for block in predictor.common.blocks:
            dims = _dims(block.name, block.labels)
            if block.steps:
                yield from _of_steps(Monotonic(block, 0), dims, predictor.parameter)
                continue
            yield Variable(block.name, *dims, predictor.parameter, "coefficient")
        for smooth in smooths_of(predictor.common.blocks):
            yield Variable(smooth.sd_name, *_dims(smooth.sd_name, smooth.levels), predictor.parameter, "sd")
    for own in shrunk:
        yield from _of_set(own)
    for name in family:
        yield Variable(name, (), (), name, "family")
    column_labels: dict[str, tuple[str, ...]] = {}
    for term in groups:
        yield from _of_term(term, column_labels)


def _of_steps(own: Monotonic, dims: Dims, parameter: str) -> Iterator[Variable]:
    """Whole effects, the coefficients of their steps, and the shares of these."""
    labels = own.steps.labels
    whole: Dims = ((f"{own.name}_dim",), (labels,)) if labels else ((), ())
    yield Variable(own.name, *whole, parameter, "coefficient")
    yield Variable(own.block.name, *dims, parameter, "coefficient")
    yield Variable(own.shares_name, *dims, parameter, "share")


def _of_set(own: Shrunk) -> Iterator[Variable]:
    """What slopes with one prior share, and a scale or a share for each."""
    for name in own.shared:
        role: Literal["sd", "share", "scale"] = "sd" if name.endswith("_slab") else "scale"
        yield Variable(name, (), (), own.parameter, "share" if name.endswith("_R2") else role)
    yield Variable(own.single, (f"{own.single}_dim",), (own.names,), own.parameter,
                   "scale" if own.is_horseshoe else "share")  # fmt: skip


def threshold_variables(family: Family) -> Iterator[Variable]:
    """The thresholds of ordered categories, numbered from 1 on."""
    if family.entries:
        labels = tuple(str(place) for place in range(1, len(family.entries) + 1))
        yield Variable(THRESHOLDS, (f"{THRESHOLDS}_dim",), (labels,), "mu", "coefficient")


def _of_term(term: GroupDesign, column_labels: dict[str, tuple[str, ...]]) -> Iterator[Variable]:
    """The variables of a group term.

    Terms share the dim of a factor's columns, but where they code its levels differently:
    ``(1 + f | g) + (0 + f | h)``.
    """
    columns: list[Dims] = []
    for effect in term.effects:
        names, own = effect.block.labels, effect.block.effect_name
        dim = f"{own}__expr_dim"
        if names and column_labels.setdefault(dim, names) != names:
            dim = f"{own}|{term.grouping.name}__expr_dim"
        columns.append(((dim,), (names,)) if names else ((), ()))
    for effect, (dims, labels) in zip(term.effects, columns, strict=True):
        yield Variable(effect.sd_name, dims, labels, effect.parameter, "sd")
    if term.correlated:
        name, rows = term.correlation_name, term.row_names
        pairs = tuple(f"{rows[column]}, {rows[row]}" for row, column in term.pairs())
        parameter = "+".join(dict.fromkeys(effect.parameter for effect in term.effects))
        yield Variable(name, (f"{name}_dim",), (pairs,), parameter, "correlation")
    group_dims, levels = group_dim(term.grouping)
    for effect, (dims, labels) in zip(term.effects, columns, strict=True):
        yield Variable(effect.name, group_dims + dims, levels + labels, effect.parameter, "effect")


def group_dim(grouping: Grouping) -> Dims:
    """The dim of a grouping factor's levels."""
    return (f"{grouping.name}__factor_dim",), (grouping.texts,)


def dataset_of(variables: Iterable[Variable], values: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Draws, each of shape ``(chain, draw, *shape)``, under the names, dims and labels of those variables it has."""
    present = [variable for variable in variables if variable.name in values]
    arrays = {variable.name: ((*DIMS, *variable.dims), values[variable.name]) for variable in present}
    labels = {dim: np.asarray(names) for each in present for dim, names in zip(each.dims, each.labels, strict=True)}
    shape = next(iter(values.values())).shape
    return labelled(arrays, {dim: np.arange(size) for dim, size in zip(DIMS, shape[:2], strict=True)} | labels)


def labelled(arrays: Mapping[str, tuple[tuple[str, ...], np.ndarray]], labels: Mapping[str, np.ndarray]) -> xr.Dataset:
    """Arrays under their dims.

    The same as ``xr.Dataset(arrays, labels)``, which looks for kinds of arrays that NumPy does not have: it imports
    Dask and sparse, and so Numba, where they are installed.
    """
    import pandas as pd
    import xarray as xr

    indexes = {dim: xr.indexes.PandasIndex(pd.Index(names), dim, names.dtype) for dim, names in labels.items()}
    coordinates = {dim: variable for index in indexes.values() for dim, variable in index.create_variables().items()}
    variables = {name: xr.Variable(dims, values, fastpath=True) for name, (dims, values) in arrays.items()}
    return xr.Dataset(variables, xr.Coordinates(coordinates, indexes))


def split(values: np.ndarray, blocks: Sequence[Block], names: Sequence[str]) -> Values:
    """Values of columns, shape ``(..., columns)``, by the name of each block; a single number loses the last axis."""
    values_by_name, at = {}, 0
    for name, block in zip(names, blocks, strict=True):
        part = values[..., at : at + len(block.columns)]
        values_by_name[name] = part[..., 0] if block.labels is None else part
        at += len(block.columns)
    return values_by_name


Question = Literal["prior", "effects", "slopes", "rows", "plan", "bambi", "compiled", "observed"]
PriorRow = tuple[str, str, str, str]


class ModelSpec(Protocol):
    """A model of given data: `Spec`, or `PooledSpec`, which has neither linear predictors nor group terms."""

    @property
    def formula(self) -> Formula:
        """As it was written."""

    @property
    def family(self) -> Family:
        """Of the response."""

    @property
    def cells(self) -> Cells:
        """The data; ``cells.groupings`` are the grouping factors."""

    @property
    def predictors(self) -> Mapping[str, LinearPredictor]:
        """The linear predictors by the family's parameters."""

    @property
    def scalars(self) -> tuple[str, ...]:
        """The parameters of the family that have one value, and no linear predictor."""

    @property
    def smooths(self) -> tuple[Smooth, ...]:
        """The penalised smooths among common terms."""

    @property
    def monotonic(self) -> tuple[Monotonic, ...]:
        """The monotonic effects among common terms."""

    @property
    def shrunk(self) -> tuple[Shrunk, ...]:
        """The sets of slopes that have one prior together."""

    @property
    def groups(self) -> tuple[GroupDesign, ...]:
        """The group terms."""

    @property
    def priors(self) -> Priors:
        """The proper priors, by variable."""

    @property
    def improper(self) -> bool:
        """Whether the prior is none without data, so that `with_cells` may refuse."""

    def variables(self) -> tuple[Variable, ...]:
        """The variables of its posterior, in order."""

    def prior_rows(self) -> list[PriorRow]:
        """Of each prior: the parameter, its prior, the scale it lives on, and where the predictors stand for it."""

    def refuses(self, question: Question) -> str | None:
        """Why a question does not apply to the model: None where it does.

        Questions are of draws and densities of the prior, effects of groups, derivatives, densities of single rows,
        true values of simulations, Bambi's model, the compiled engine, and responses as they were observed.
        """

    def shape_exposure(self, frame: pd.DataFrame) -> np.ndarray | None:
        """What multiplies the family's shape in each row; None where nothing does."""

    def with_cells(self, cells: Cells) -> ModelSpec:
        """The same model, its coding and its priors, of other cells of the same groups.

        Raises
        ------
        DataError
            If they leave no proper posterior.
        """

    def has_posterior_mean(self, outcome: Functional, readings: Collection[str]) -> bool:
        """Whether an outcome of a response has a posterior mean, its groups being read so."""

    @property
    def finite_moments(self) -> Mapping[str, float]:
        """By variable, or by its name in tables, the power from which on it has no mean, where that is up to 2.

        Summaries give the median of what has no mean, and no sd of what has no mean square.
        """

    def refuse_exact(self) -> None:
        """Refuse a response whose density has no bound, since predictors make it up exactly."""

    def derived(self, sampled: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
        """Draws of the variables that are not sampled but known given these, of shape ``(chain, draw, ...)``."""
