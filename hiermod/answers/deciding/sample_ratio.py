"""`srm`: whether the arms of an experiment have the sizes that its assignment should have given them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from math import comb
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from hiermod.answers.averaging.columns import find_level
from hiermod.data.cells.statistics import CountCells
from hiermod.data.columns.levels import encode, match_level
from hiermod.data.columns.values import Level, code_levels, number_rows
from hiermod.data.pushdown.gather import count_units
from hiermod.errors import AnswerError, DataError, visible
from hiermod.sampling.posterior import Posterior
from hiermod.tabular import Tabular, text_table
from hiermod.terminal import lines_of, width

ALARM = 0.001  # a p-value below this is a mismatch
MAX_TABLES = 100_000  # as many tables are enumerated for an exact p-value
LEAST_EXPECTED, SIMULATED = 5.0, 100_000  # units of an arm, below which chi-square does not hold; tables drawn then
EQUAL = 1e-9  # what probabilities may differ by, relatively, and still be as large
COMPUTED = ("count", "expected", "p_value", "method", "mismatch")


@dataclass(frozen=True, eq=False)
class SampleRatio(Tabular):
    """Sizes of arms, held against those that were expected.

    Parameters
    ----------
    table : pandas.DataFrame
        A row per arm of each cell: the `by` columns, the variable, ``count``, ``expected``; and of the cell,
        ``p_value``, ``method`` (``exact``, ``chi-square``, ``simulated``) and ``mismatch`` (a p-value below 0.001).
    sentences : list of str
        What that says, a sentence for each cell.
    """

    table: pd.DataFrame
    sentences: list[str]

    @property
    def mismatch(self) -> bool:
        """Whether any cell has a mismatch.

        Examples
        --------
        >>> import hiermod as hm
        >>> hm.srm(hm.example("country"), "treated").mismatch
        False
        """
        return bool(self.table["mismatch"].any())

    @property
    def sentence(self) -> str:
        """All sentences.

        Examples
        --------
        >>> import hiermod as hm
        >>> hm.srm(hm.example("country"), "treated").sentence[:10]
        'treated: 0'
        """
        return " ".join(self.sentences)

    def __repr__(self) -> str:
        keys, room = list(takewhile(lambda name: name != "count", self.table)), width()
        sentences = [lines_of(visible(sentence), room) for sentence in self.sentences]
        return "\n".join([text_table(self.table, keys).text(room), "", *sentences])

    def _repr_html_(self) -> str:
        from html import escape

        shown = self.table.to_html(index=False, escape=True, float_format=lambda number: f"{number:.4g}")
        return visible(f"{shown}<p>{escape(self.sentence)}</p>")


def srm(
    data: Any, variable: str, expected: Any = None, *, by: Any = None, weights: str | None = None
) -> SampleRatio:  # fmt: skip
    """Sample-ratio mismatch: whether each arm has as many rows as the assignment should have given it.

    A mismatch means that rows got lost or were assigned in another way than was thought, so that no comparison of the
    arms can be trusted. The p-value is exact (multinomial) where at most 100,000 tables are possible, and Pearson's
    chi-square where more are; where that does not hold, as an arm should have less than 5, 100,000 are drawn.

    Parameters
    ----------
    data : data frame or path
        A row per unit, such as a visitor; rows without an arm are refused.
    variable : str
        The column with the arm of each row.
    expected : dict or list, optional
        The share of each level, or numbers in that ratio, in the order of levels; equal shares otherwise. Levels that
        have no rows count 0.
    by : str or list of str, optional
        Columns whose combinations are tested each for itself.
    weights : str, optional
        A column with the number of units that a row stands for.

    Returns
    -------
    SampleRatio
        With ``table``, ``sentences`` and ``mismatch``.

    Raises
    ------
    AnswerError
        If there is one arm only, or the expected shares are not those of its levels.
    DataError
        If a column is not there, has missing values, or the weights are no counts.

    Examples
    --------
    >>> import hiermod as hm
    >>> print(hm.srm(hm.example("country"), "treated").sentence)
    treated: 0 200, 1 200 is what 1:1 may give (p = 1, exact).
    """
    names = tuple([by] if isinstance(by, str) else by if isinstance(by, list | tuple) else () if by is None else (by,))
    if not all(isinstance(name, str) for name in (variable, *names)) or variable in names:
        raise AnswerError(f"The names of different columns are needed, not variable={variable!r} and by={by!r}.")
    if clash := [name for name in (*names, variable) if name in COMPUTED]:
        raise AnswerError(f"The answer has a column {clash[0]!r} itself. Rename that column of the data.")
    frame, units = count_units(data, (*names, variable), weights)
    if not units.sum():
        raise DataError(f"There are no units of any {variable}, so there is no ratio to test.")
    codes, present = code_levels(variable, frame[variable])
    levels, shares = expected_shares(expected, present, variable)
    place = encode(list(present), levels)[codes]
    parts, sentences = [], []
    for key, rows in _cells(frame, names):
        counts = np.bincount(place[rows], units[rows], len(levels)).astype(np.int64)
        p_value, method = p_value_of(counts, shares)
        columns = {**key, variable: levels, "count": counts, "expected": counts.sum() * shares}
        parts.append(pd.DataFrame(columns).assign(p_value=p_value, method=method, mismatch=p_value < ALARM))
        sentences.append(said(variable, levels, counts, shares, p_value, method, key))
    return SampleRatio(pd.concat(parts, ignore_index=True), sentences)


def p_value_of(counts: np.ndarray, shares: np.ndarray) -> tuple[float, str]:
    """The probability of a table that is as unlikely as this one or more so, and how it was computed."""
    total, arms = int(counts.sum()), len(counts)
    if total == 0:
        return 1.0, "exact"
    if comb(total + arms - 1, arms - 1) > MAX_TABLES:
        if total * shares.min() < LEAST_EXPECTED:
            return _simulated(counts, shares), "simulated"
        squares = (counts - total * shares) ** 2 / (total * shares)
        return float(special.chdtrc(arms - 1, squares.sum())), "chi-square"
    tables = np.array(list(_tables(total, arms)))
    log = special.gammaln(total + 1) - special.gammaln(tables + 1).sum(axis=1) + tables @ np.log(shares)
    observed = special.gammaln(total + 1) - special.gammaln(counts + 1).sum() + counts @ np.log(shares)
    return float(min(1.0, np.exp(log[log <= observed + EQUAL]).sum())), "exact"


def _simulated(counts: np.ndarray, shares: np.ndarray) -> float:
    """The same by tables drawn at random, where chi-square does not hold and tables are too many to list."""
    drawn = np.random.default_rng(0).multinomial(int(counts.sum()), shares, size=SIMULATED)
    unlikely = -special.gammaln(drawn + 1).sum(axis=1) + drawn @ np.log(shares)
    observed = -special.gammaln(counts + 1).sum() + counts @ np.log(shares)
    return float((1 + (unlikely <= observed + EQUAL).sum()) / (1 + SIMULATED))


def _tables(total: int, arms: int) -> Iterator[tuple[int, ...]]:
    """Every way to put `total` units into `arms`."""
    if arms == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _tables(total - first, arms - 1):
            yield (first, *rest)


def expected_shares(expected: Any, present: tuple[Level, ...], variable: str) -> tuple[tuple[Level, ...], np.ndarray]:
    """The levels, those without rows included, and the share that each should have."""
    if expected is None:
        levels, ratio = present, [1.0] * len(present)
    elif isinstance(expected, Mapping):
        levels = (*present, *(level for level in expected if not _among(level, present)))
        by_level = {_match(typed, levels): value for typed, value in expected.items()}
        if absent := [level for level in present if level not in by_level]:
            raise AnswerError(f"expected= has no share for {variable} {absent[0]!r}, which has rows.")
        ratio = [by_level[level] for level in levels]
    else:
        if isinstance(expected, str) or not hasattr(expected, "__iter__"):
            raise AnswerError(f"expected={expected!r}: a share for each of {', '.join(map(str, present))} is needed.")
        levels, ratio = present, list(expected)
        if len(ratio) != len(present):
            raise AnswerError(
                f"expected= has {len(ratio)} shares; {variable} has {len(present)} levels: "
                f"{', '.join(map(str, present))}."
            )
    if len(levels) < 2:
        raise AnswerError(f"{variable!r} has one level only ({levels[0]!r}), so there is no ratio to test.")
    for level, value in zip(levels, ratio, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 < value < np.inf:
            raise AnswerError(f"expected= says {value!r} for {variable} {level!r}; a number above 0 is needed.")
    shares = np.array(ratio, dtype=float)
    return levels, shares / shares.sum()


def _among(level: Any, levels: tuple[Level, ...]) -> bool:
    return match_level(level, levels) is not None


def _match(typed: Any, levels: tuple[Level, ...]) -> Level:
    return find_level(levels, typed, f"There is no level {typed!r}.")


def _cells(frame: pd.DataFrame, names: tuple[str, ...]) -> Iterator[tuple[dict[str, Level], np.ndarray]]:
    """The rows of each combination of `names`, in the order of their levels."""
    coded = {name: code_levels(name, frame[name]) for name in names}
    table = pd.DataFrame({name: codes for name, (codes, _) in coded.items()})
    number = number_rows(table) if names else np.zeros(len(frame))
    for cell in np.unique(number):
        rows = np.flatnonzero(number == cell)
        yield {name: levels[codes[rows[0]]] for name, (codes, levels) in coded.items()}, rows


def said(
    variable: str, levels: tuple[Level, ...], counts: np.ndarray, shares: np.ndarray, p_value: float, method: str,
    key: Mapping[str, Level],
) -> str:  # fmt: skip
    """A sentence on the sizes of a cell's arms; `key` says which cell that is."""
    where = "".join(f" for {name} {level}" for name, level in key.items())
    ratio = ":".join(f"{share / shares.min():.3g}" for share in shares)
    sizes = ", ".join(f"{level} {count:,}" for level, count in zip(levels, counts, strict=True))
    lead = f"{variable}{where}: {sizes}"
    chance = f"p = {p_value:.2g}" if p_value >= 1e-4 else f"p = {p_value:.1e}"
    if p_value < ALARM:
        return (
            f"{lead} is not what {ratio} gives ({chance}, {method}): units were lost or assigned in another way, so "
            "find out why before comparing the arms."
        )
    return f"{lead} is what {ratio} may give ({chance}, {method})."


BY_DESIGN = "If that is by design, say so: expected={{{}}}, with the share that each level was to have."


def mismatch(posterior: Posterior, variable: str, expected: Any) -> str:
    """A warning where the fitted units of each level are not what the shares give; else nothing.

    Units are trials or rows. Where the response is counted over an exposure nobody knows them, and none is tested.
    """
    cells = posterior.spec.cells
    if variable not in cells.frame or isinstance(cells.response, CountCells):
        return ""
    codes, present = code_levels(variable, cells.frame[variable])
    levels, shares = expected_shares(expected, present, variable)
    units = np.rint(cells.response.weight).astype(np.int64)
    counts = np.bincount(encode(list(present), levels)[codes], units, len(levels)).astype(np.int64)
    p_value, method = p_value_of(counts, shares)
    if p_value >= ALARM:
        return ""
    warning = said(variable, levels, counts, shares, p_value, method, {})
    return f"Sample-ratio mismatch. {warning} {BY_DESIGN.format(f'{levels[0]!r}: …')}"
