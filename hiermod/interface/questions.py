"""The part of `Fit` that answers questions.

The arguments that the methods share are described at `hiermod.interface.fit.Fit`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.estimands import effects, rates, shrinkage
from hiermod.interface.notices import announce
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd


class Questions:
    """Rates, effects and decisions."""

    _posterior: Posterior

    def rates(
        self,
        by: Any = None,
        *,
        data: Any = None,
        groups: str = "observed",
        prob: float = 0.95,
        weights: str | None = None,
        at: Any = None,
        threshold: float | None = None,
    ) -> Answer:
        """Expected response per cell of `by`, back-transformed, averaged over rows within each draw.

        The `by` variables that stand in common terms are set to each level for all rows; grouping factors and other
        columns select rows, and so do parts of crossed ones, such as ``arm`` in ``(1 | country:arm)``, where the data
        lack a combination and effects are the observed ones. Rows of counts weigh the same whatever their exposure:
        weigh them with `data` and `weights`. Of a student family it is the location, which is the mean where ``nu`` is
        above 1.

        Parameters
        ----------
        by : str, list of str or dict, optional
            The columns whose combinations are the cells; one cell of all rows without it. A dict gives values, such as
            ``{"x": [0, 1], "country": ["Canada"]}``, or None for all levels. With `data`, any column of it will do.
        data : data frame or path, optional
            Rows to average over instead of the fitted data, such as a census. They weigh their trials, if there.
        groups : {"observed", "typical", "new", "population"}
            Whose rate: each row's own group, effects at zero, one unseen group, or the mean over the population. With
            ``"new"``, groups named in `data` that the fit does not know are drawn, each for itself; known ones stay.
        prob : float
            The probability of the interval.
        weights : str, optional
            A column of `data` with the weights of its rows.
        at : dict, optional
            Predictors with the value at which every row stands, such as ``{"x": 0}``.
        threshold : float, optional
            Adds ``prob_exceeds``, the probability that the rate exceeds it.

        Returns
        -------
        Answer
            Its table has the `by` columns and ``estimate, lower, upper`` (posterior mean, equal-tailed interval).

        Raises
        ------
        AnswerError
            If a column is neither in the model nor in `data`, a level is unknown, or a group has no observed effect.

        Examples
        --------
        >>> list(fit.rates(by=["country", "treated"]).table.columns)
        ['country', 'treated', 'estimate', 'lower', 'upper']
        """
        answer = rates.rates(
            self._posterior, Arguments(None, by, at, data, weights, groups, threshold=threshold, prob=prob)
        )
        announce(rates.own_rows_notices(self._posterior.spec, answer.question))
        return answer

    def effect(
        self,
        variable: str,
        *,
        by: Any = None,
        control: Any = None,
        scale: str = "difference",
        groups: str = "observed",
        data: Any = None,
        rope: tuple[float, float] | None = None,
        goal: str = "max",
        prob: float = 0.95,
        weights: str | None = None,
        at: Any = None,
        contrast: Any = "control",
        threshold: float | None = None,
    ) -> Answer:
        """Contrasts of the levels of `variable`, all arms averaged over the same rows.

        Parameters
        ----------
        variable : str
            A 0/1, boolean or categorical column, or a grouping factor.
        contrast : {"control", "pairs", "sequential", "mean"} or dict
            Each level against the control, every pair, each level against the one before it, or each against the mean
            of all; or weights that add up to zero: ``{"C vs others": {"A": -0.5, "B": -0.5, "C": 1}}``.
        control : optional
            The level to compare with; the first one otherwise.
        scale : {"difference", "ratio", "lift", "odds_ratio", "link"}
            Estimates are means; medians for ratio, lift and odds ratio.
        rope : (low, high), optional
            A region of practical equivalence on the scale of the contrast; adds ``prob_rope``.
        goal : {"max", "min"}
            ``"min"`` where lower is better.
        threshold : float, optional
            Adds ``prob_exceeds``, the probability that the contrast is beyond it: above, or below with ``goal="min"``.
        by, groups, data, weights, at, prob
            As in `rates`. `data` need not have the column `variable`.

        Returns
        -------
        Answer
            Its table has the `by` columns, ``contrast, estimate, lower, upper, prob_beats, expected_loss``; the last is
            E[max(control - treated, 0)] on the response scale, what choosing the treated is expected to cost.

        Raises
        ------
        AnswerError
            If the variable, contrast, control, scale, groups, rope or threshold cannot be used.

        Examples
        --------
        >>> table = fit.effect("treated", by="country").table
        >>> list(table["contrast"])
        ['1 vs 0', '1 vs 0']
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, contrast, control, scale=scale, rope=rope, threshold=threshold,
            goal=goal, prob=prob,
        )  # fmt: skip
        return effects.effect(self._posterior, arguments)

    def prob_beats(
        self,
        variable: str,
        *,
        by: Any = None,
        control: Any = None,
        groups: str = "observed",
        data: Any = None,
        goal: str = "max",
        weights: str | None = None,
        at: Any = None,
    ) -> pd.DataFrame:
        """P(level beats control): a row per `by` cell (``all`` without), a column per other level.

        Examples
        --------
        >>> fit.prob_beats("treated", by="country").shape
        (2, 1)
        """
        arguments = Arguments(variable, by, at, data, weights, groups, control=control, goal=goal)
        return effects.prob_beats_table(self._posterior, arguments)

    def pairwise(
        self,
        variable: str,
        *,
        by: Any = None,
        groups: str = "observed",
        data: Any = None,
        goal: str = "max",
        weights: str | None = None,
        at: Any = None,
    ) -> pd.DataFrame:
        """P(row beats column) for every pair of levels; the diagonal is empty.

        Examples
        --------
        >>> fit_of_variants.pairwise("variant").shape
        (4, 4)
        """
        return effects.pairwise(self._posterior, Arguments(variable, by, at, data, weights, groups, goal=goal))

    def best(
        self,
        variable: str,
        *,
        by: Any = None,
        groups: str = "observed",
        data: Any = None,
        goal: str = "max",
        weights: str | None = None,
        at: Any = None,
    ) -> pd.DataFrame:
        """P(best), expected loss (response scale) and expected rank of each level.

        Examples
        --------
        >>> fit_of_variants.best("variant")["prob_best"].idxmax()
        'D'
        """
        return effects.best(self._posterior, Arguments(variable, by, at, data, weights, groups, goal=goal))

    def shrinkage(self, group: str | None = None, prob: float = 0.95) -> pd.DataFrame:
        """Raw rate, pooled rate and how far it was pulled, per level of a grouping factor, on the response scale.

        ``pull`` is (raw - estimate) / (raw - estimate without the group's effect); NaN where the denominator is within
        its Monte Carlo error.

        Examples
        --------
        >>> list(fit_of_variants.shrinkage().columns)
        ['n', 'raw', 'estimate', 'lower', 'upper', 'pull']
        """
        return shrinkage.shrinkage(self._posterior, group, prob)

    def predict(self, data: Any = None, kind: str = "mean", groups: str = "observed", prob: float = 0.95) -> Answer:
        """Predictions for each row of `data` (the fitted cells without it).

        Parameters
        ----------
        data : data frame or path, optional
            Rows with the model's predictors, and the grouping columns where ``groups="observed"``.
        kind : {"mean", "link", "response"}
            Expected response, linear predictor, or new responses (successes, counts or values).
        groups : {"observed", "typical", "new", "population"}
            As in `rates`: with ``"new"``, each group that the fit does not know is drawn for itself.

        Returns
        -------
        Answer
            Its table has a row for each of `data`, in order, with its place ``row_number`` and its columns.

        Examples
        --------
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"country": ["Canada"], "treated": [1]})
        >>> len(fit.predict(rows).table)
        1
        """
        return rates.predict(self._posterior, Arguments(data=data, groups=groups, prob=prob), kind)
