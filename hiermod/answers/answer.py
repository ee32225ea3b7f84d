"""`Answer`: the draws behind a question and the table made from them, to as many digits as the draws support."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from hiermod.answers.draws import wins
from hiermod.answers.scales import Scale
from hiermod.choices import AnswerPicture, RowOrder
from hiermod.errors import AnswerError
from hiermod.families.functionals import Functional
from hiermod.formula.expressions import Call, Column
from hiermod.formula.nodes import CountsResponse, LevelResponse, Response, SingleResponse
from hiermod.modeling.protocol import ModelSpec
from hiermod.sampling.diagnostics import mean_sizes
from hiermod.tabular import Tabular

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COMPUTED = ("estimate", "lower", "upper", "prob_beats", "expected_loss", "prob_rope", "prob_exceeds")


@dataclass(frozen=True)
class Measure:
    """The expected response of a model: what it is called, whether it is a share, its link, and what it is a rate by.

    With a `unit`, which is an exposure, it is that of one unit.
    """

    name: str
    percent: bool
    link: str
    unit: str = ""

    @property
    def word(self) -> str:
        """``rate`` or ``mean``.

        Examples
        --------
        >>> fit.effect("treated").question.measure.word
        'rate'
        """
        return "rate" if self.percent else "mean"

    def of_units(self, per: float) -> Measure:
        """The same for so many units.

        Examples
        --------
        >>> fit.effect("treated").question.measure.of_units(100).name
        'success rate per 100'
        """
        if per == 1.0:
            return self
        if self.unit:
            counted = self.name.removesuffix(f" per {self.unit}")
            return Measure(f"{counted} per {per:,g} {plural(self.unit)}", False, self.link, self.unit)
        return Measure(f"{self.name} per {per:,g}", False, self.link)

    def text(self, value: float) -> str:
        """A value in words.

        Examples
        --------
        >>> fit.effect("treated").question.measure.text(0.1234)
        '12.3%'
        """
        return f"{value:.1%}" if self.percent else f"{value:.4g}"


UNKNOWN = Measure("expected response", percent=False, link="link")


EXPOSURE = "unit of exposure"
MEAN = "mean {}"


def measure_of(spec: ModelSpec, outcome: Functional | None = None, exposed: bool = False) -> Measure:
    """The rate of successes, or an outcome of the response, its mean without one; of counts, for one unit of exposure.

    `exposed` ones are of each row's own exposure.
    """
    family = spec.family
    outcome = family.expected if outcome is None else outcome
    link = spec.predictors[outcome.of].scale if outcome.of in spec.predictors else family.link.name
    counted = family.link.name == "log" and outcome.of == "mu" and outcome.name != "mu"
    unit = exposure_unit(spec) if counted and not exposed else ""
    name = outcome_name(spec.formula.response, family.is_rate, outcome.label)
    if not unit:
        return Measure(name, outcome.share, link)
    if not outcome.per_unit:
        return Measure(f"{name} in one {_singular(unit)}", outcome.share, link)
    events = outcome_name(spec.formula.response, family.is_rate, outcome.label.removeprefix("mean "))
    return Measure(f"{events} per {unit}", outcome.share, link, unit)


def exposure_unit(spec: ModelSpec) -> str:
    """What an exposure counts, by the column in ``offset(log(days))``; empty without an offset."""
    formula = spec.formula
    if len(formula.offsets) != 1:
        return EXPOSURE if formula.offsets else ""
    match formula.expressions.get(formula.offsets[0]):
        case Call("log", (Column(name),)):
            return name
    return EXPOSURE


def outcome_name(response: Response, is_rate: bool, label: str = MEAN) -> str:
    """What an outcome of a response is called: ``success rate``, ``mean Reaction``."""
    if is_rate and label != MEAN:
        return label.format(response.name)
    if isinstance(response, LevelResponse):
        return f"{response.column}={response.level} rate"
    if isinstance(response, CountsResponse):
        word = category_word(response)
        return label.format(word if label == MEAN else f"the {word}")
    if isinstance(response, SingleResponse):
        return f"{response.name} rate" if is_rate else label.format(response.name)
    successes = response.successes
    return f"{_singular(successes.name) if isinstance(successes, Column) else 'success'} rate"


def category_word(response: Response) -> str:
    """What a response of categories is called: as its column, or, of counts in several, ``category``."""
    return "category" if isinstance(response, CountsResponse) else response.name


def plural(unit: str) -> str:
    """``unit of exposure`` to ``units of exposure``; a column's name stays."""
    return "units of exposure" if unit == EXPOSURE else unit


def _singular(noun: str) -> str:
    """``successes`` to ``success``, ``clicks`` to ``click``; what is no plain plural stays."""
    if noun.endswith("sses"):
        return noun[:-2]
    plural = noun.endswith("s") and len(noun) > 3 and not noun.endswith(("ss", "us", "is"))
    return noun[:-1] if plural else noun


@dataclass(frozen=True)
class Question:
    """What was asked, in the terms of the model; a picture, a sentence or a table of the answer needs no more.

    Parameters
    ----------
    kind : str
        ``rates``, ``effect``, ``interaction``, ``slopes``, ``predict`` or ``hypothesis``.
    scale : Scale
    measure : Measure
    by : tuple of str
        The columns whose combinations are the cells.
    variable, control : str, optional
        Whose levels are compared, or whose slope it is; the level with which the others are compared.
    arms : int
        How many levels the variable has, those that are not compared among them.
    contrast : str
        Which levels are compared: the name of a pairing, or ``weights``.
    across : str, optional
        The column across which effects are compared.
    groups : str
        Whose response it is.
    prob : float
        Of the interval.
    sign : int
        1 where higher is better, -1 where lower is.
    threshold : float, optional
        What a draw may be beyond.
    rope : (float, float), optional
        The region of practical equivalence.
    median : bool
        Whether estimates are medians of the draws, not means.
    remark : str
        What readers of the numbers should know.
    categories : str, optional
        The response, of which each category has rows of its own.
    """

    kind: str
    scale: Scale
    measure: Measure = UNKNOWN
    by: tuple[str, ...] = ()
    variable: str | None = None
    control: str | None = None
    arms: int = 2
    contrast: str = "control"
    across: str | None = None
    groups: str = "observed"
    prob: float = 0.95
    sign: int = 1
    threshold: float | None = None
    rope: tuple[float, float] | None = None
    median: bool = False
    remark: str = ""
    categories: str | None = None


@dataclass(frozen=True, eq=False)
class Curve:
    """The number that an answer is a curve over, and what of the data its picture shows.

    Parameters
    ----------
    name : str
        A key column of the answer.
    observed : pandas.DataFrame
        Raw averages of bins: the number, ``raw``, ``size``, and the answer's other key columns; may be empty.
    rug : numpy.ndarray
        Values of the number in the data.
    """

    name: str
    observed: pd.DataFrame
    rug: np.ndarray


@dataclass(frozen=True, eq=False)
class Answer(Tabular):
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
    notices : tuple of str
        What is to be known of how it was answered.
    curve : Curve, optional
        The number that it is a curve over.
    grand : float, optional
        Of rates of fitted rows, the raw mean of all of them.

    Examples
    --------
    >>> answer = fit.effect("treated", by="country")
    >>> answer.draws.dims
    ('chain', 'draw', 'row')
    >>> round(float((answer.draws > 0.05).mean()), 1)  # in how many draws both effects are above five points
    0.8
    """

    draws: xr.DataArray
    table: pd.DataFrame
    question: Question
    notices: tuple[str, ...] = ()
    curve: Curve | None = None
    grand: float | None = None

    def __repr__(self) -> str:
        from hiermod.show.answer_text import plain

        return plain(self)

    def _repr_html_(self) -> str:
        from hiermod.show.answer_text import html

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

    def plot(
        self, kind: AnswerPicture | None = None, *, sort: RowOrder = "auto", page: int = 1, ax: Any = None
    ) -> Axes:  # fmt: skip
        """Draw the answer.

        Parameters
        ----------
        kind : {"forest", "curve", "ridges", "stacked"}, optional
            Points with a 50 % and an outer interval in rows; a line with both intervals as ribbons over a number, the
            raw averages of its bins as dots, where they are known, and a rug of its values; the density of each row;
            or bars of the chances of all categories. Without it, a curve where rows were set to five or more numbers,
            else a forest; of all categories stacked bars, unless they are seven curves at most.
        sort : {"auto", "estimate", "level"}
            The order of rows: by their estimates, the largest first, or by levels. "auto" is by estimates where rows
            are three or more named groups, whose names are no numbers.
        page : int
            Which page, of forests of more than 200 groups; a page has columns of 50.
        ax : matplotlib Axes, optional
            Where to draw; a new figure otherwise, which has columns where rows are many.

        Returns
        -------
        matplotlib Axes
            The first one, of a figure with columns.

        Raises
        ------
        AnswerError
            If an argument is unknown, there is no such page, or an answer over no number is to be a curve.

        Examples
        --------
        >>> fit.rates("treated", by="country").plot().get_ylabel()
        'country'
        """
        from hiermod.show.answer_plots import plot_answer

        return plot_answer(self, kind, sort, page, ax)


def check_prob(prob: Any) -> float:
    """Refuse an interval's probability outside (0, 1)."""
    if isinstance(prob, bool) or not isinstance(prob, Real) or not 0 < float(prob) < 1:
        raise AnswerError(f"prob={prob!r}: the probability of an interval is between 0 and 1, such as 0.95.")
    return float(prob)


def check_rope(rope: Any) -> tuple[float, float] | None:
    """A region of practical equivalence, if one is given."""
    if rope is None:
        return None
    try:
        low, high = (float(bound) for bound in rope)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not low < high:
        raise AnswerError(f"rope={rope!r}: a pair (low, high) on the scale of the contrast, such as (-0.01, 0.01).")
    return low, high


def check_threshold(threshold: Any) -> float | None:
    """A number that a contrast or rate may exceed, if one is given."""
    if threshold is None:
        return None
    if isinstance(threshold, bool) or not isinstance(threshold, Real) or not np.isfinite(float(threshold)):
        raise AnswerError(f"threshold={threshold!r}: a finite number is needed.")
    return float(threshold)


def interval(draws: np.ndarray, prob: float, median: bool = False) -> dict[str, np.ndarray]:
    """``estimate, lower, upper`` of draws with shape ``(rows, draws)``: mean (or median) and equal-tailed quantiles."""
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers near the largest
        lower, middle, upper = quantiles(draws, np.array([(1.0 - prob) / 2.0, 0.5, (1.0 + prob) / 2.0]))
        return {"estimate": middle if median else _means(draws), "lower": lower, "upper": upper}


def _means(draws: np.ndarray) -> np.ndarray:
    """Means over the last axis; finite where the draws are, their sum or not."""
    means = draws.mean(axis=1)
    endless = np.isinf(means)
    means[endless] = (draws[endless] / draws.shape[1]).sum(axis=1)
    return np.asarray(means)


def quantiles(draws: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Quantiles over the last axis, shape ``(places, rows)``; of rows with infinite draws they are draws."""
    infinite = np.isinf(draws).any(axis=1)
    result = np.empty((len(places), len(draws)))
    result[:, ~infinite] = np.quantile(draws[~infinite], places, axis=1)
    result[:, infinite] = np.quantile(draws[infinite], places, axis=1, method="inverted_cdf")
    return result


def make_answer(
    draws: np.ndarray, keys: pd.DataFrame, shape: tuple[int, int], question: Question, name: str, *,
    shown: pd.DataFrame | None = None, columns: Mapping[str, Any] | None = None, notices: Sequence[str] = (),
    curve: Curve | None = None, grand: float | None = None,
) -> Answer:  # fmt: skip
    """Make an answer of draws.

    Parameters
    ----------
    draws : numpy.ndarray, shape (rows, draws)
        Chains one after the other.
    keys : pandas.DataFrame
        What each row is of.
    shape : (int, int)
        Chains and draws.
    question : Question
        It says what an estimate is; its threshold and rope add columns.
    name : str
        Of the draws.
    shown : pandas.DataFrame, optional
        What the table shows of each row; its keys otherwise.
    columns : mapping, optional
        What else is computed of each row.
    notices : sequence of str
    curve : Curve, optional
    grand : float, optional
    """
    if not question.median and (infinite := np.isinf(draws).any(axis=1)).any():
        share = float(np.isinf(draws[infinite]).mean(axis=1).max())
        question = replace(question, median=True, remark=f"{question.remark} {_endless(share)}".strip())
    table = (keys if shown is None else shown).assign(**interval(draws, question.prob, question.median))
    table = table.assign(**(columns or {}))
    unknown = np.isnan(draws).any(axis=1)
    if question.rope is not None:
        low, high = question.rope
        table = table.assign(prob_rope=((draws >= low) & (draws <= high)).mean(axis=1))
    if question.threshold is not None:
        table = table.assign(prob_exceeds=wins(draws, question.threshold, question.sign).mean(axis=1))
    if unknown.any():
        made = [name for name in table if name in COMPUTED]
        table.loc[unknown, made] = np.nan
        table = table.assign(estimable=~unknown)
    index = pd.MultiIndex.from_frame(keys) if len(keys.columns) else pd.MultiIndex.from_arrays([["all"]], names=["all"])
    coords = xr.Coordinates.from_pandas_multiindex(index, "row")
    values = xr.Variable(("chain", "draw", "row"), draws.T.reshape(*shape, len(index)), fastpath=True)
    return Answer(xr.DataArray(values, coords, name=name), table, question, tuple(notices), curve, grand)


def _endless(share: float) -> str:
    return (
        f"Estimates are posterior medians: up to {share:.2%} of the draws of a row are above "
        f"{np.finfo(float).max:.2g}, and count as infinite. Look at the units of the predictors in such rows; their "
        "linear predictors are finite: fit.predict(data, kind='link')."
    )


LOOKED_AT = 50  # rows that decide over a column
MOST = 8  # decimals
FEWEST_DRAWS = 100


def effective_sizes(answer: Answer) -> np.ndarray:
    """How many independent draws each row's are worth; infinite where they are too few to tell."""
    values = answer.draws.transpose("chain", "draw", "row").values
    with np.errstate(all="ignore"):
        sizes = mean_sizes(_bounded(np.asarray(values, dtype=float)))
    return np.where(np.isnan(sizes), np.inf, np.minimum(sizes, values.shape[0] * values.shape[1]))


def decimals(answer: Answer) -> dict[str, int]:
    """Decimals of the columns that were computed from the draws; none where these are too few to tell.

    A number's Monte Carlo error e is that of a mean, a quantile or a probability, from the effective sample size; its
    last digit is worth at most 2e. A column has the decimals of its middle row.
    """
    table = answer.table
    values = answer.draws.transpose("chain", "draw", "row")
    if values.sizes["chain"] * values.sizes["draw"] < FEWEST_DRAWS or len(table) != values.sizes["row"]:
        return {}
    known = np.flatnonzero(~np.isnan(values.values[0, 0]))
    if not len(known):
        return {}
    rows = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), LOOKED_AT)).astype(int))]
    chosen = _bounded(np.asarray(values.values[..., rows], dtype=float))
    with np.errstate(all="ignore"):  # of numbers whose squares end, no digits are known
        sizes = mean_sizes(chosen)
        flat = chosen.reshape(-1, len(rows)).T
        errors = _errors(table.iloc[rows], flat, np.fmax(sizes, 1.0), answer.question)
    return {name: places for name, error in errors.items() if (places := _places(error)) is not None}


def _bounded(draws: np.ndarray) -> np.ndarray:
    """Draws with the infinite ones of each row at its largest and smallest finite ones."""
    if np.isfinite(draws).all():
        return draws
    finite = np.where(np.isfinite(draws), draws, np.nan)
    known = np.isfinite(finite).any(axis=(0, 1))
    low, high = np.zeros(draws.shape[-1]), np.zeros(draws.shape[-1])
    low[known], high[known] = np.nanmin(finite[..., known], axis=(0, 1)), np.nanmax(finite[..., known], axis=(0, 1))
    return np.clip(np.nan_to_num(draws, nan=0.0), low, high)


def _errors(table: pd.DataFrame, flat: np.ndarray, sizes: np.ndarray, question: Question) -> dict[str, np.ndarray]:
    spread, root = flat.std(axis=1), np.sqrt(sizes)
    errors = {"estimate": spread / root, "sd": spread / (math.sqrt(2.0) * root)}
    places = {"lower": (1.0 - question.prob) / 2.0, "upper": (1.0 + question.prob) / 2.0}
    for name, place in {**places, **({"estimate": 0.5} if question.median else {})}.items():
        errors[name] = np.array([_quantile_error(*row, place) for row in zip(flat, sizes, strict=True)])
    for name in map(str, table.columns):
        if name.startswith("prob") and pd.api.types.is_float_dtype(table[name]):
            share = table[name].to_numpy()
            errors[name] = np.sqrt(np.maximum(share * (1.0 - share), 1.0 / sizes) / sizes)
    if "expected_loss" in table and question.scale.additive and not question.scale.linear:
        sides = [np.maximum(sign * flat, 0.0) for sign in (1.0, -1.0)]
        closest = np.argmin([np.abs(side.mean(axis=1) - table["expected_loss"]) for side in sides], axis=0)
        errors["expected_loss"] = np.choose(closest, [side.std(axis=1) for side in sides]) / root
    return {name: error for name, error in errors.items() if name in table}


def _quantile_error(draws: np.ndarray, size: float, place: float) -> float:
    """Half the distance between the quantiles one standard error of a probability below and above."""
    step = math.sqrt(place * (1.0 - place) / size)
    low, high = np.quantile(draws, [max(place - step, 0.0), min(place + step, 1.0)])
    return float(high - low) / 2.0


def _places(errors: np.ndarray) -> int | None:
    known = errors[np.isfinite(errors) & (errors > 0.0)]
    if not len(known):
        return None
    return int(np.clip(-math.floor(math.log10(2.0 * float(np.median(known)))), 0, MOST))
