"""`Questions`: what is asked of expected responses, the same of a fit, of a prior and of several fits together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.deciding import verdicts
from hiermod.answers.estimands import effects, parts, rates, slopes
from hiermod.answers.outcome import outcome_notices
from hiermod.choices import Contrast, Goal, Groups, Outcome, Scale, SlopeScale
from hiermod.interface.arguments import documented
from hiermod.interface.notices import announce, table_of, told
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd


@documented
class Questions:
    """Averages of expected responses, contrasts of them, and decisions; what has draws of a model inherits them."""

    _posterior: Posterior

    @property
    def _drawn(self) -> Posterior:
        """The draws, which may know groups by their patterns alone."""
        return self._posterior

    def _answered[T](self, question: Callable[[Posterior, Arguments], T], arguments: Arguments) -> T:
        """The answer to a question."""
        return question(self._posterior, arguments)

    def rates(
        self, variable: Any = None, *, by: Any = None, where: Any = None, at: Any = None, data: Any = None,
        weights: str | None = None, groups: Groups = "observed",
        outcome: Outcome | None = None, parameter: str | None = None, per: float = 1,
        threshold: float | None = None, prob: float = 0.95,
    ) -> Answer:  # fmt: skip
        """Expected response at each value of `variable`, back-transformed, averaged over rows within each draw.

        All rows of a cell are set to each value, so that rates differ by exactly what `effect` gives. Without a
        variable, rows are taken as they are; ``fit.rates("age")`` and ``at={"age": [20, 40]}`` give curves. Rows of
        counts weigh their exposure. Of a student family it is the location, which is the mean where ``nu`` is above 1.

        Parameters
        ----------
        variable : str, list of str or dict, optional
            A column to whose levels all rows of a cell are set in turn, or several; a dict gives values.
        by, where, at, data, weights, groups, outcome, parameter, per, prob
            As in every question.
        threshold : float, optional
            Adds ``prob_exceeds``, the probability that the rate exceeds it.

        Returns
        -------
        Answer
            Its table has the columns of `by`, of `at` and of `variable`, ``estimate, lower, upper`` (posterior mean,
            equal-tailed interval), ``rows``, the rows or trials of the cell, and ``seen``, those of them at this value
            of the variable; of `data`, weights. If the data say nothing about a line, it is not ``estimable``: its
            numbers are NaN.

        Raises
        ------
        AnswerError
            If a column is neither in the model nor in `data`, a level is unknown, or a group has no observed effect.

        Examples
        --------
        >>> list(fit.rates("treated", by="country").table.columns)
        ['country', 'treated', 'estimate', 'lower', 'upper', 'rows', 'seen']
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, threshold=threshold, prob=prob,
            outcome=outcome, parameter=parameter, where=where,
            per=per,
        )  # fmt: skip
        return told(self._answered(rates.rates, arguments))

    def effect(
        self, variable: Any, *, by: Any = None, control: Any = None, scale: Scale = "difference",
        groups: Groups = "observed", data: Any = None, rope: tuple[float, float] | None = None, goal: Goal = "max",
        prob: float = 0.95, weights: str | None = None, where: Any = None, at: Any = None, per: float = 1,
        contrast: Contrast = "control", threshold: float | None = None,
        outcome: Outcome | None = None, parameter: str | None = None,
    ) -> Answer:  # fmt: skip
        """Contrasts of the levels of `variable`, all arms averaged over the same rows.

        Parameters
        ----------
        variable, by, control, scale, groups, data, goal, prob, weights, at, where, per, contrast, threshold,
        outcome, parameter
            As in every question.
        rope : (low, high), optional
            A region of practical equivalence on the scale of the contrast; adds ``prob_rope``.

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
            goal=goal, prob=prob, outcome=outcome, parameter=parameter, where=where, per=per,
        )  # fmt: skip
        return told(self._answered(effects.effect, arguments))

    def effect_parts(
        self, variable: Any, *, by: Any = None, control: Any = None, groups: Groups = "observed", data: Any = None,
        goal: Goal = "max", prob: float = 0.95, weights: str | None = None, where: Any = None, at: Any = None,
        per: float = 1, contrast: Contrast = "control",
    ) -> Answer:  # fmt: skip
        """Effects on a mean in two parts that add up: by the chance of more than 0, and by the mean of what is above 0.

        Money per user is the chance to buy times the basket of those who buy. With p and m for both, an effect is in
        each row and draw ``dp·(mean of both m) + (mean of both p)·dm``; each part is averaged over rows then, as
        effects are (Kitagawa 1955, J. Am. Stat. Assoc. 50, 1168-1194).

        Parameters
        ----------
        variable, by, control, groups, data, goal, prob, weights, at, where, per, contrast
            As in every question.

        Returns
        -------
        Answer
            Its table has the `by` columns, ``contrast, part, estimate, lower, upper, prob_beats``; three rows for each
            contrast: ``chance above 0``, ``mean above 0`` and ``whole``, which is what `effect` gives.

        Raises
        ------
        AnswerError
            If the family has no zeros of their own chance, or groups are read as ``"population"``.

        Examples
        --------
        >>> import numpy as np, pandas as pd, hiermod as hm
        >>> rng = np.random.default_rng(1)
        >>> shop = pd.DataFrame({"arm": np.repeat(["a", "b"], 200)})
        >>> shop["money"] = rng.gamma(2.0, 10.0, 400) * (rng.random(400) < np.where(shop["arm"] == "b", 0.5, 0.4))
        >>> money = hm.fit("money ~ arm; hu ~ arm", shop, "hurdle_gamma", draws=200, seed=1, progress=False)
        >>> list(money.effect_parts("arm").table["part"])
        ['chance above 0', 'mean above 0', 'whole']
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, contrast, control, goal=goal, prob=prob, where=where, per=per,
        )  # fmt: skip
        return told(self._answered(parts.effect_parts, arguments))

    def prob_beats(
        self, variable: Any, *, by: Any = None, control: Any = None, groups: Groups = "observed", data: Any = None,
        goal: Goal = "max", weights: str | None = None, where: Any = None, at: Any = None, per: float = 1,
        outcome: Outcome | None = None, parameter: str | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """P(level beats control): a row per `by` cell (``all`` without), a column per other level.

        Units, `per`, leave probabilities as they are.

        Parameters
        ----------
        variable, by, control, groups, data, goal, weights, at, where, per, outcome, parameter
            As in every question.

        Examples
        --------
        >>> fit.prob_beats("treated", by="country").shape
        (2, 1)
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, control=control, goal=goal,
            outcome=outcome, parameter=parameter, where=where, per=per,
        )  # fmt: skip
        return table_of(self._answered(effects.prob_beats_table, arguments))

    def pairwise(
        self, variable: Any, *, by: Any = None, groups: Groups = "observed", data: Any = None, goal: Goal = "max",
        weights: str | None = None, where: Any = None, at: Any = None, per: float = 1,
        outcome: Outcome | None = None, parameter: str | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """P(row beats column) for every pair of levels; the diagonal is empty.

        Units, `per`, leave probabilities as they are.

        Parameters
        ----------
        variable, by, groups, data, goal, weights, at, where, per, outcome, parameter
            As in every question.

        Examples
        --------
        >>> fit_of_variants.pairwise("variant").shape
        (4, 4)
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, goal=goal,
            outcome=outcome, parameter=parameter, where=where, per=per,
        )  # fmt: skip
        return table_of(self._answered(effects.pairwise, arguments))

    def best(
        self, variable: Any, *, by: Any = None, groups: Groups = "observed", data: Any = None, goal: Goal = "max",
        weights: str | None = None, where: Any = None, at: Any = None, per: float = 1,
        outcome: Outcome | None = None, parameter: str | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """P(best), expected loss (response scale) and expected rank of each level.

        Parameters
        ----------
        variable, by, groups, data, goal, weights, at, where, per, outcome, parameter
            As in every question.

        Examples
        --------
        >>> fit_of_variants.best("variant")["prob_best"].idxmax()
        'D'
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, goal=goal,
            outcome=outcome, parameter=parameter, where=where, per=per,
        )  # fmt: skip
        announce(outcome_notices(self._drawn.spec, outcome, groups, parameter))
        return table_of(self._answered(effects.best, arguments))

    def interaction(
        self, variable: Any, across: Any, *, by: Any = None, contrast: Contrast = "control", control: Any = None,
        between: Contrast = "control", scale: Scale = "difference", groups: Groups = "observed", data: Any = None,
        weights: str | None = None, where: Any = None, at: Any = None, per: float = 1, threshold: float | None = None,
        goal: Goal = "max", prob: float = 0.95, outcome: Outcome | None = None, parameter: str | None = None,
    ) -> Answer:  # fmt: skip
        """How the effect of `variable` differs between the levels of `across`: a difference of differences.

        Effects are those of ``effect(variable, by=across)``, and differ in each draw: differences, lifts and link-scale
        effects are subtracted, ratios and odds ratios divided.

        Parameters
        ----------
        variable, by, contrast, control, scale, groups, data, weights, at, where, per, threshold, goal, prob,
        outcome, parameter
            As in every question.
        across : str or dict
            The column across which the effect is compared, on the rows of each level; ``{"x": [0, 1]}`` sets rows.
        between : {"control", "pairs", "sequential", "mean"} or dict
            Which levels of `across` are compared: with the first one, if nothing else is said.

        Returns
        -------
        Answer
            Its table has the `by` columns, ``contrast, between, estimate, lower, upper, prob_beats``; the last is the
            probability that the effect is larger (smaller, with ``goal="min"``) at the first level of ``between``.

        Raises
        ------
        AnswerError
            If an argument cannot be used, or `across` has one level only.

        Examples
        --------
        >>> fit.interaction("treated", "country").table[["contrast", "between"]].to_numpy().tolist()
        [['1 vs 0', 'China vs Canada']]
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, contrast, control, across, between, scale,
            threshold=threshold, goal=goal, prob=prob, outcome=outcome, parameter=parameter, where=where, per=per,
        )  # fmt: skip
        return told(self._answered(effects.interaction, arguments))

    def slopes(
        self, variable: str, *, by: Any = None, scale: SlopeScale = "response", groups: Groups = "observed",
        data: Any = None, weights: str | None = None, where: Any = None, at: Any = None, per: float = 1,
        threshold: float | None = None, goal: Goal = "max", prob: float = 0.95,
        outcome: Outcome | None = None, parameter: str | None = None,
    ) -> Answer:  # fmt: skip
        """Average slope of the expected response in a numeric predictor (average marginal effect).

        The derivative at each row's own value, averaged over rows within each draw. That of the model is exact; what
        functions make of the column, such as ``poly(x, 2)``, is differentiated by central differences that are
        extrapolated to a step of zero and checked. ``at={"x": [0, 1]}`` gives the slope at both values; ``prob_beats``
        is that of a slope above zero, or below it with ``goal="min"``.

        Parameters
        ----------
        variable : str
            A numeric column.
        scale : {"response", "link"}
            The derivative of the expected response, or of the linear predictor.
        at : dict, optional
            Values at which predictors stand in every row, `variable` among them: ``at={"x": 0}`` is the slope at 0.
        by, where, groups, data, weights, per, threshold, goal, prob, outcome, parameter
            As in every question.

        Returns
        -------
        Answer
            Its table has the `by` columns and ``estimate, lower, upper, prob_beats``; per unit of the column.

        Raises
        ------
        AnswerError
            If the column holds levels, only groups rows, enters in steps (``cut``, ``round``), or has a kink.

        Examples
        --------
        >>> list(fit.slopes("treated", by="country", scale="link").table.columns)
        ['country', 'estimate', 'lower', 'upper', 'prob_beats']
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, scale=scale, threshold=threshold, goal=goal, prob=prob,
            outcome=outcome, parameter=parameter, where=where, per=per,
        )  # fmt: skip
        return told(self._answered(slopes.slopes, arguments))

    def decide(
        self, variable: Any, *, by: Any = None, loss: float | None = None, threshold: float = 0.0,
        control: Any = None, groups: Groups = "observed", data: Any = None, weights: str | None = None,
        where: Any = None, at: Any = None, per: float = 1, expected: Any = None, goal: Goal = "max",
        prob: float = 0.95, outcome: Outcome | None = None, parameter: str | None = None,
    ) -> verdicts.Decision:  # fmt: skip
        """Ship, keep testing or stop: a verdict for each `by` cell, by expected losses.

        The level with the least expected loss is shipped, or the control kept ("stop"), as soon as the expected loss of
        doing so is at most `loss`; until then the verdict is "keep testing". The rule is printed below the table.

        Parameters
        ----------
        variable, by, groups, data, weights, at, where, per, goal, prob, outcome, parameter
            As in every question.
        loss : float, optional
            The expected loss, on the response scale, that is small enough to act; 1 % of the control's mean otherwise
            (of identity links it has to be given).
        threshold : float
            The least gain over the control that is worth shipping, on the response scale.
        control : optional
            The level to stop with; the first one otherwise.
        expected : dict or list, optional
            The share of the fitted units that each level was to get, as in `hiermod.srm`; equal shares otherwise. A
            warning stands below the table where the sizes of the arms are not what these shares give.

        Returns
        -------
        Decision
            With ``table`` (``verdict``, ``level``, its difference from the control ``estimate, lower, upper``,
            ``prob_exceeds``, ``loss_of_shipping``, ``loss_of_stopping``, ``loss_limit``), ``rule``, in words, and
            ``warning``, empty unless the arms have other sizes than expected; that is a notice on stderr, too.

        Raises
        ------
        AnswerError
            If an argument cannot be used, or `loss` is needed and not given.

        Examples
        --------
        >>> list(fit.decide("treated", by="country", loss=0.005).table["verdict"])
        ['ship', 'ship']
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, control=control, threshold=threshold, goal=goal, prob=prob,
            outcome=outcome, parameter=parameter, loss=loss, expected=expected, where=where, per=per,
        )  # fmt: skip
        decision = self._answered(verdicts.decide, arguments)
        announce([*decision.notices, *filter(None, [decision.warning])])
        return decision

    def nnt(
        self, variable: Any, *, by: Any = None, control: Any = None, contrast: Contrast = "control",
        groups: Groups = "observed", data: Any = None, weights: str | None = None, where: Any = None, at: Any = None,
        goal: Goal = "max", prob: float = 0.95,
    ) -> pd.DataFrame:  # fmt: skip
        """Number needed to treat: how many for one success more (one fewer, with ``goal="min"``) than the control has.

        It is one over the difference of rates, and so is its interval: two pieces, through infinity, where that of the
        difference spans zero. Negative numbers are of harm.

        Parameters
        ----------
        variable, by, control, contrast, groups, data, weights, at, where, goal, prob
            As in every question.

        Returns
        -------
        pandas.DataFrame
            The `by` columns, ``contrast, estimate, lower, upper, pieces, interval``. With one piece the interval is
            from ``lower`` to ``upper``; with two it is everything up to ``lower`` and from ``upper`` on.

        Raises
        ------
        AnswerError
            If the family has no rates, or an argument cannot be used.

        Examples
        --------
        >>> fit.nnt("treated", by="country")["pieces"].to_list()
        [1, 2]
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, contrast, control, goal=goal, prob=prob, where=where,
        )  # fmt: skip
        return table_of(self._answered(verdicts.number_needed, arguments))
