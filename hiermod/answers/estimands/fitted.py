"""The rows that were fitted, one by one: their predictions, fitted values and residuals, under the data's own index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.averaging.rows import new_rows
from hiermod.answers.estimands.rates import COMPUTED, ROW, predict
from hiermod.answers.group_effects import Groups, Reading, read_groups
from hiermod.answers.outcome import read_outcome
from hiermod.answers.reader import others_of, predicted, reader, refuse_tallies
from hiermod.choices import RESIDUALS
from hiermod.data.cells.observations import Observations
from hiermod.data.cells.rows import FittedRows, fitted_rows
from hiermod.data.columns.bounds import PARTS, BoundedRows
from hiermod.data.columns.measured import MeasuredRows
from hiermod.data.columns.responses import TallyRows, TrialsRows
from hiermod.data.columns.values import codable, first_of, number_rows
from hiermod.errors import AnswerError, did_you_mean
from hiermod.families.category_outcomes import needs_outcome
from hiermod.families.functionals import Functional
from hiermod.sampling.posterior import Posterior

MOST_PREDICTIONS = 500_000_000  # rows times draws, 4 GB
NEXT_TO_ONE = 1.0 - 2.0**-53  # of a chance whose normal quantile is finite
OF_DRAWS, OF_UNIFORMS = 1004, 1005  # purposes of random generators


@dataclass(frozen=True, eq=False)
class OwnRows:
    """The rows of the data that was fitted, as they were read again, under its index."""

    rows: FittedRows
    index: pd.Index

    def series(self, values: np.ndarray, name: str) -> pd.Series:
        """A number for each row of the data; missing where the fit left it out."""
        everywhere = np.full(len(self.index), np.nan)
        everywhere[self.rows.used] = values
        return pd.Series(everywhere, self.index, name=name)


def own_rows(posterior: Posterior, data: Any, complete: tuple[str, ...], give: str) -> OwnRows:
    """Read the rows of the data that was fitted again; `give` says how they are given where that cannot be.

    Raises
    ------
    AnswerError
        If the data is not known any more, or is not what it was.
    """
    spec = posterior.spec
    if data is None:
        raise AnswerError(f"The rows of this fit are not known any more: give them, {give}.")
    rows = fitted_rows(spec.formula, data, complete)
    if rows.used.sum() != spec.cells.source.rows:
        raise AnswerError(
            f"The data has changed: {spec.cells.source.rows:,} rows were fitted, of which {rows.used.sum():,} are "
            f"left. Give the rows: {give}."
        )
    return OwnRows(rows, data.index if isinstance(data, pd.DataFrame) else pd.RangeIndex(len(rows.raw)))


def predict_fitted(posterior: Posterior, arguments: Arguments, data: Any, complete: tuple[str, ...]) -> Answer:
    """Predictions for each row of the data that was fitted, under its index; rows that were left out are missing.

    Raises
    ------
    AnswerError
        If the data is not known any more, is not what it was, or has too many rows.
    """
    elsewhere, count = "fit.predict_cells() predicts each cell of equal rows once", posterior.spec.cells.source.rows
    if data is not None and count * posterior.size > MOST_PREDICTIONS:
        raise AnswerError(
            f"{posterior.size:,} draws for each of {count:,} rows are too many to hold: {elsewhere}, fit.fitted() "
            "gives their means, fit.predict(data) takes some rows."
        )
    own = own_rows(posterior, data, complete, f"fit.predict(data), or {elsewhere}")
    raw, used = own.rows.raw, own.rows.used
    answer = predict(posterior, replace(arguments, data=raw[used].reset_index(drop=True)), fitted=True)
    answer = answer if used.all() else _among_all(answer, raw, used)
    each = len(answer.table) // len(used)  # categories
    return replace(answer, table=answer.table.set_axis(own.index.repeat(each), axis=0))


def _among_all(answer: Answer, raw: pd.DataFrame, used: np.ndarray) -> Answer:
    """The answer's rows among all those of the data, the others missing; each row has as many lines, of categories."""
    each = len(answer.table) // int(used.sum())
    row, place = np.repeat(np.arange(len(used)), each), np.tile(np.arange(each), len(used))
    known = np.repeat(used, each)
    categories = answer.draws.indexes["row"].to_frame(index=False).drop(columns=ROW).iloc[place]
    table = answer.table.set_axis(np.flatnonzero(known), axis=0).reindex(np.arange(len(row)))
    shown = {
        str(name): raw[name].iloc[row].reset_index(drop=True)
        for name in table if name in raw and name not in (*COMPUTED, *categories)
    }  # fmt: skip
    table = table.assign(**shown)
    keys = pd.DataFrame({ROW: row}).assign(**{name: own.to_numpy() for name, own in categories.items()})
    draws = np.full((*answer.draws.shape[:2], len(row)), np.nan)
    draws[..., known] = answer.draws
    coords = xr.Coordinates.from_pandas_multiindex(pd.MultiIndex.from_frame(keys), "row")
    labelled = xr.DataArray(draws, dims=answer.draws.dims, coords=coords, name=answer.draws.name)
    return replace(answer, draws=labelled, table=table.assign(**keys))


def fitted(posterior: Posterior, own: OwnRows, groups: Any, outcome: Any, parameter: Any) -> pd.Series:
    """The estimate of the expected response of each row, of trials of their rate: what `predict` gives."""
    if posterior.spec.family.kind == "category" and outcome is None and parameter is None:
        raise needs_outcome(posterior.spec.family, "fitted()")
    return own.series(_Rows(posterior, own, groups).estimate(outcome, parameter), "fitted")


def residuals(posterior: Posterior, own: OwnRows, kind: Any, groups: Any) -> pd.Series:
    """What each response is off by: as it is, in predictive standard deviations, or as a normal quantile.

    Raises
    ------
    AnswerError
        If there are no such residuals of this model.
    """
    if not isinstance(kind, str) or kind not in RESIDUALS:
        raise AnswerError(f"type={kind!r}.{did_you_mean(str(kind), RESIDUALS)}")
    refuse_tallies(posterior, "Residuals are of one number a row")
    if kind != "quantile" and (reason := posterior.spec.refuses("observed")):
        raise AnswerError(
            f"Residuals of type={kind!r} are of responses as observed, and {reason}. type='quantile' takes these."
        )
    rows = _Rows(posterior, own, groups)
    if kind == "response":
        return own.series(rows.shares - rows.estimate(None), "residual")
    if Reading.POPULATION in rows.groups.values():
        raise AnswerError(
            f"groups='population' is a mean, about which rows have no distribution of the family, so that there are no "
            f"residuals of type={kind!r}. groups='new' draws one unseen group."
        )
    return own.series(rows.pearson() if kind == "pearson" else rows.quantile(), "residual")


class _Rows:
    """The rows that were fitted, with their responses; equal ones are computed once, in blocks."""

    def __init__(self, posterior: Posterior, own: OwnRows, groups: Any) -> None:
        self._posterior, spec = posterior, posterior.spec
        self.groups: Groups = read_groups(spec, groups)
        raw, response = own.rows.raw[own.rows.used].reset_index(drop=True), own.rows.response
        self._frame = new_rows(spec, raw, (), self.groups, exposed=True)
        if isinstance(response, TallyRows):
            self._response = [*response.counts.T]
        elif isinstance(response, TrialsRows):
            self._response = [response.successes, response.trials]
        elif isinstance(response, BoundedRows):
            self._response = list(response.parts.values())
        elif spec.family.categories:
            self._response = [response.places]
        else:
            self._response = [response.values, *([np.ones(len(response.values))] if spec.family.is_rate else [])]
            self._response += [response.error] if isinstance(response, MeasuredRows) else []

    @property
    def _trials(self) -> np.ndarray:
        return self._response[1] if len(self._response) == 2 else np.ones(len(self._frame))

    @property
    def shares(self) -> np.ndarray:
        """Responses; of trials, the shares of successes, of categories, their scores."""
        family = self._posterior.spec.family
        if family.categories:
            return np.array(family.scores)[self._response[0].astype(np.int64) - 1]
        return self._response[0] / self._trials if family.is_rate else self._response[0]

    def _distinct(self, *columns: np.ndarray) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """Distinct rows, with columns beside: the number of each row among them, and the first row of each number."""
        table: dict[Any, Any] = {name: codable(self._frame[name]) for name in self._frame}
        number = number_rows(pd.DataFrame(table | dict(enumerate(columns)), index=self._frame.index))
        first = first_of(number)
        return self._frame.iloc[first].reset_index(drop=True), number, first

    def _means(self, frame: pd.DataFrame, outcome: Functional | None = None) -> Iterator[tuple[slice, np.ndarray]]:
        return reader(self._posterior, self.groups, exposed=True, outcome=outcome).blocks(frame)

    def estimate(self, outcome: Any, parameter: Any = None) -> np.ndarray:
        """Posterior means of the outcome, medians where it has none."""
        read = read_outcome(self._posterior.spec, outcome, self.groups, parameter)
        frame, number, _ = self._distinct()
        result = np.empty(len(frame))
        for rows, mean in self._means(frame, read.functional):
            result[rows] = mean.mean(axis=1) if read.has_mean else np.median(mean, axis=1)
        return result[number]

    def pearson(self) -> np.ndarray:
        """(y - E mu) / sqrt(E V + Var mu), of the posterior predictive distribution."""
        family, rng = self._posterior.spec.family, self._posterior.generator(OF_DRAWS)
        outcome = read_outcome(self._posterior.spec, None, self.groups)
        if not outcome.has_mean:
            response = self._posterior.spec.formula.response.name
            raise AnswerError(
                f"There are no Pearson residuals: under these priors the mean of {response} has no posterior mean. "
                "type='quantile' needs none."
            )
        frame, number, first = self._distinct(self._trials)
        trials = self._trials[first]
        result = np.empty((2, len(frame)))
        model = reader(self._posterior, self.groups, exposed=True)
        for rows, mean in model.blocks(frame):
            own = others_of(self._posterior, model, frame.iloc[rows])
            variance = family.response_variance(mean, trials[rows, None], own, rng)
            result[:, rows] = mean.mean(axis=1), variance.mean(axis=1) + mean.var(axis=1)
        if not np.isfinite(result[1]).all():
            raise AnswerError(
                f"There are no Pearson residuals: in some draws the family {family} has no finite variance (student "
                "has none where nu is 2 or less). type='quantile' needs none."
            )
        expected, variance = result[:, number]
        return (self.shares - expected) / np.sqrt(variance)

    def quantile(self) -> np.ndarray:
        """Normal quantiles of the predictive chance of less than a response, spread evenly over that of its own value.

        Dunn and Smyth (1996), with chances averaged over draws.
        """
        posterior, family = self._posterior, self._posterior.spec.family
        rng, size = posterior.generator(OF_DRAWS), posterior.size
        frame, number, first = self._distinct(*self._response)
        two = ("successes", "trials") if family.is_rate else ("value", "error")
        names = {1: ("value",), 2: two, 5: PARTS}[len(self._response)]
        own = {name: values[first] for name, values in zip(names, self._response, strict=True)}
        seen = Observations(frame, np.arange(len(frame)), pd.DataFrame({"cell": 0, **own, "times": 1}))
        chances = np.empty((2, len(frame)))
        model = reader(posterior, self.groups, exposed=True)
        for place, (response, row) in enumerate(predicted(model, seen)):
            found = family.chances(response, family.mean(row.mu, *row.others), row.mu, row.others, rng)
            chances[:, place] = [chance.mean() for chance in found]
        if family.cdf is None:  # the rank among the drawn responses, any of which is as likely
            chances = (size * chances + np.array([[0.0], [1.0]])) / (size + 1.0)
        lower, upper = chances[:, number]
        inside = posterior.generator(OF_UNIFORMS).uniform(size=len(number))
        return np.asarray(special.ndtri(np.clip(lower + inside * (upper - lower), 1.0 - NEXT_TO_ONE, NEXT_TO_ONE)))
