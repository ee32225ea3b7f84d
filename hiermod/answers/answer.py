"""`Answer`: the draws behind a question and the table made from them."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.errors import AnswerError
from hiermod.formula.expressions import Column
from hiermod.formula.nodes import LevelResponse, Response, SingleResponse
from hiermod.modeling.protocol import ModelSpec

COMPUTED = ("estimate", "lower", "upper", "prob_beats", "expected_loss", "prob_rope", "prob_exceeds")


@dataclass(frozen=True)
class Measure:
    """The expected response of a model: what it is called, whether it is a share, and its link."""

    name: str
    percent: bool
    link: str

    @property
    def word(self) -> str:
        """``rate`` or ``mean``."""
        return "rate" if self.percent else "mean"

    def text(self, value: float) -> str:
        """A value in words."""
        return f"{value:.1%}" if self.percent else f"{value:.4g}"


UNKNOWN = Measure("expected response", percent=False, link="link")


def measure_of(spec: ModelSpec, outcome: str = "mean") -> Measure:
    """The rate of successes, or the mean or median of the response."""
    is_rate = spec.family.is_rate
    return Measure(outcome_name(spec.formula.response, is_rate, outcome), is_rate, spec.family.link.name)


def outcome_name(response: Response, is_rate: bool, outcome: str = "mean") -> str:
    """What a response's expectation is called: ``success rate``, ``mean Reaction``."""
    if isinstance(response, LevelResponse):
        return f"{response.column}={response.level} rate"
    if isinstance(response, SingleResponse):
        return f"{response.name} rate" if is_rate else f"{outcome} {response.name}"
    successes = response.successes
    return f"{_singular(successes.name) if isinstance(successes, Column) else 'success'} rate"


def _singular(noun: str) -> str:
    """``successes`` to ``success``, ``clicks`` to ``click``; what is no plain plural stays."""
    if noun.endswith("sses"):
        return noun[:-2]
    plural = noun.endswith("s") and len(noun) > 3 and not noun.endswith(("ss", "us", "is"))
    return noun[:-1] if plural else noun


@dataclass(frozen=True)
class Question:
    """What was asked, ``rates``, ``effect``, ``interaction``, ``slopes`` or ``predict``, with its arguments.

    `contrast` says which levels of `variable` are compared: a name, or ``weights``; `control` is None where that has
    none. `across` is what an effect is compared across, `remark` what readers of the numbers should know.
    """

    kind: str
    by: tuple[str, ...]
    groups: str
    prob: float
    variable: str | None = None
    control: str | None = None
    scale: str = "response"
    measure: Measure = UNKNOWN
    contrast: str = "control"
    across: str | None = None
    remark: str = ""


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer with its draws.

    Parameters
    ----------
    draws : xarray.DataArray
        Dims ``chain, draw, row``; ``row`` is a MultiIndex of the table's key columns.
    table : pandas.DataFrame
        A row per answer: key columns, ``estimate, lower, upper``, and what else the question gives. Printing the Answer
        prints it.
    question : Question
        What was asked.
    """

    draws: xr.DataArray
    table: pd.DataFrame
    question: Question

    def __repr__(self) -> str:
        from hiermod.show.answer_text import plain

        return plain(self)

    def _repr_html_(self) -> str:
        from hiermod.show.answer_html import html

        return html(self)

    def to_markdown(self) -> str:
        r"""The table as Markdown, numbers rounded by their Monte Carlo error.

        Examples
        --------
        >>> print(fit.effect("treated").to_markdown().splitlines()[0])
        | contrast | estimate | lower | upper | prob\_beats | expected\_loss |
        """
        from hiermod.show.answer_text import markdown

        return markdown(self)

    def to_latex(self) -> str:
        r"""The table as a LaTeX tabular (with the package booktabs), numbers rounded by their Monte Carlo error.

        Examples
        --------
        >>> print(fit.effect("treated").to_latex().splitlines()[0])
        \begin{tabular}{lrrrrr}
        """
        from hiermod.show.answer_text import latex

        return latex(self)

    def plot(self, **options: Any) -> Any:
        """Draw the answer; see `hiermod.show`. Returns matplotlib Axes."""
        from hiermod.show.answer_plot import plot_answer

        return plot_answer(self, **options)


def check_prob(prob: Any) -> float:
    """Refuse an interval's probability outside (0, 1)."""
    if isinstance(prob, bool) or not isinstance(prob, Real) or not 0 < float(prob) < 1:
        raise AnswerError(f"prob={prob!r}: the probability of an interval is between 0 and 1, such as 0.95.")
    return float(prob)


def check_threshold(threshold: Any) -> float | None:
    """A number that a contrast or rate may exceed, if one is given."""
    if threshold is None:
        return None
    if isinstance(threshold, bool) or not isinstance(threshold, Real) or not np.isfinite(float(threshold)):
        raise AnswerError(f"threshold={threshold!r}: a finite number is needed.")
    return float(threshold)


def interval(draws: np.ndarray, prob: float, median: bool = False) -> dict[str, np.ndarray]:
    """``estimate, lower, upper`` of draws with shape ``(rows, draws)``: mean (or median) and equal-tailed quantiles."""
    lower, middle, upper = np.quantile(draws, [(1.0 - prob) / 2.0, 0.5, (1.0 + prob) / 2.0], axis=1)
    return {"estimate": middle if median else draws.mean(axis=1), "lower": lower, "upper": upper}


def with_coords(draws: np.ndarray, keys: pd.DataFrame, shape: tuple[int, int], name: str) -> xr.DataArray:
    """Draws of shape ``(rows, draws)`` as a DataArray with dims ``chain, draw, row``."""
    index = pd.MultiIndex.from_frame(keys) if len(keys.columns) else pd.MultiIndex.from_arrays([["all"]], names=["all"])
    coords = xr.Coordinates.from_pandas_multiindex(index, "row")
    return xr.DataArray(draws.T.reshape(*shape, len(index)), dims=("chain", "draw", "row"), coords=coords, name=name)
