"""The arguments that many questions share: what they mean, written once and put into each method's docstring."""

from __future__ import annotations

import re
from textwrap import indent

TEXT = """\
variable : str or dict
    A 0/1, boolean or categorical column, or a grouping factor: all rows of a cell are set to each of its levels in
    turn, so that all arms share one mix of groups and covariates. A dict gives values, such as ``{"age": [20, 40]}``.
by : str or list of str, optional
    Columns whose combinations are the cells: each takes the rows that have these levels, as they are. One cell of all
    rows without it. With `data`, any column of it will do.
where : dict, optional
    Takes the rows that have these levels once, for the whole question: ``{"device": "phone"}``.
at : dict, optional
    Columns to which all rows are set: at one value, or at each of several, ``{"age": [20, 40, 60]}``; a line for each
    combination.
per : float
    Of how many units means are, such as 1000: of exposure, or of trials.
data : data frame or path, optional
    Rows to average over instead of the fitted data, such as a census. They weigh their trials or exposure, if there,
    and need no column that is set in all rows, such as `variable`.
weights : str, optional
    A column of `data` with the weights of its rows.
groups : {"observed", "typical", "new", "population"} or dict
    Whose rate: each row's own group, effects at zero, one unseen group, or the mean over the population. With
    ``"new"``, groups named in `data` that the fit does not know are drawn, each for itself; known ones stay. A dict
    says so by grouping factor, such as ``{"site": "typical"}``; factors that it leaves out are observed.
contrast : {"control", "pairs", "sequential", "mean"} or dict
    Each level against the control, every pair, each level against the one before it, or each against the mean of all;
    or weights that add up to zero: ``{"C vs others": {"A": -0.5, "B": -0.5, "C": 1}}``.
control : optional
    The level to compare with; the first one otherwise.
scale : {"difference", "ratio", "lift", "odds_ratio", "link"}
    Estimates are means; medians for ratio, lift and odds ratio. A lift or ratio needs a control above 0: it is refused
    where that fails in more than 1 % of the draws. Of a response that is a logarithm both are of geometric means.
outcome : str, number or dict, optional
    What of the response's distribution in each row: ``"mean"`` (None), ``"median"``, a quantile such as ``"q90"``, a
    chance such as ``">30"`` or ``"<=4"``, of durations the mean up to a horizon, ``"mean<=90"``; of counts also the
    chance of one number, ``4``, ``"zero"``, and ``"positive"``, the mean of those above zero; of categories the chance
    of one, ``"good"``, or their mean by scores, ``{"bad": 0, "fair": 1, "good": 3}``. Rows are averaged: the average of
    their quantiles, not the quantile of all. Estimates are posterior medians where it has no posterior mean,
    as the mean of a heavy-tailed family.
parameter : str, optional
    A parameter of the response's distribution that has a linear predictor, such as ``"sigma"`` or ``"zi"``, in place of
    an outcome; ``"mu"`` is the one that the formula of the response speaks of.
threshold : float, optional
    Adds ``prob_exceeds``, the probability that the answer is beyond it: above, or below with ``goal="min"``.
goal : {"max", "min"}
    ``"min"`` where lower is better.
prob : float
    The probability of the interval.
"""
ENTRIES = {entry.partition(" :")[0]: entry for entry in re.split(r"\n(?=\w)", TEXT.strip())}
PLACE = re.compile(r"^( *)(\w+(?:,\s+\w+)*)\n +As in every question\.$", flags=re.MULTILINE)


def documented[C: type](cls: C) -> C:
    """Put the text of the arguments where a method's docstring lists their names "As in every question."."""
    for method in vars(cls).values():
        if callable(method) and method.__doc__:  # there is none under python -OO
            method.__doc__ = PLACE.sub(_entries, method.__doc__)
    return cls


def _entries(place: re.Match[str]) -> str:
    margin, names = place.groups()
    return "\n".join(indent(ENTRIES[name], margin) for name in re.split(r",\s+", names))
