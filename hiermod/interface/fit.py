"""`Fit`, a sampled model and the questions that can be asked of it, and `Model`, the formula with its data before that.

The file is long because it is what users read: every public method with its documentation, and two lines that ask the
room below. The two classes share it because each names the other: `Model.fit` gives a `Fit`, `Fit.model` its `Model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.deciding import verdicts
from hiermod.answers.estimands import effects, rates, shrinkage, slopes
from hiermod.answers.estimands import fitted as fitted_rows
from hiermod.answers.outcome import outcome_notices
from hiermod.answers.parameters import by_group, estimates, hypotheses, tidy_draws
from hiermod.choices import Contrast, Engine, Goal, Groups, Kind, Outcome, Residual, Scale, Score, SlopeScale
from hiermod.interface.arguments import documented
from hiermod.interface.notices import announce, announce_one, table_of, told
from hiermod.interface.plots import FitPlots
from hiermod.interface.prior_draws import PriorDraws
from hiermod.interface.refits import changed_model, changed_settings, refuse_unknown
from hiermod.modeling.definition import Defined
from hiermod.modeling.model_priors import prior_summary
from hiermod.sampling.checks import CheckReport, check
from hiermod.sampling.posterior import Posterior, posterior_from_draws
from hiermod.sampling.prior_draws import sample_prior
from hiermod.sampling.run import choose_sampler, sample
from hiermod.sampling.settings import Sampler, Settings, check_switch
from hiermod.sampling.storage import StoredFit, save

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm
    import xarray as xr

    from hiermod.answers.checks.outlying import Outlying
    from hiermod.answers.parameters.by_group import GroupEstimates
    from hiermod.answers.scoring.leave_one_out import LeaveOneOut
    from hiermod.answers.scoring.validation import CrossValidation, Design
    from hiermod.show.explanation import Explanation
    from hiermod.show.sensitivity import Sensitivity
    from hiermod.show.summary import Summary


@documented
class Fit:
    """A posterior with its model. Made by `hiermod.fit`, `hiermod.load` and `Model.fit`.

    The arguments that questions share, such as ``by``, ``data`` and ``groups``, mean the same in all of them:
    ``help(hiermod.Fit.rates)`` and ``help(hiermod.Fit.effect)`` describe them.

    Examples
    --------
    >>> fit
    <hiermod.Fit success ~ treated + (1 + treated | country), family bernoulli, 4 x 1000 draws>
    """

    def __init__(self, model: Model, posterior: Posterior) -> None:
        self.model, self._defined, self._posterior = model, model._defined, posterior

    def __repr__(self) -> str:
        chains, draws = self._posterior.shape
        return f"<hiermod.Fit {self.model.formula}, family {self.model.family}, {chains} x {draws} draws>"

    @property
    def posterior(self) -> xr.Dataset:
        """The draws, dims ``chain, draw``; coefficients in the user's coding, on the link scale."""
        return self._posterior.dataset

    @property
    def idata(self) -> xr.DataTree:
        """The draws and the sampler's statistics, as ArviZ takes them."""
        return self._posterior.tree

    @property
    def cells(self) -> pd.DataFrame:
        """The compressed table that the model saw."""
        return self.model.cells

    @property
    def notices(self) -> list[str]:
        """What was inferred from the data, and what happened in sampling."""
        return [*self._defined.notices, *self._posterior.notices]

    @property
    def plot(self) -> FitPlots:
        """Plots: ``fit.plot.rates()``, ``.effect()``, ``.shrinkage()``, ``.trace()``, ``.ppc()``."""
        return FitPlots(self._posterior, self.rates, self.effect)

    @property
    def data(self) -> Any:
        """The frame or path that was fitted, as it was given; None of a fit that was stored."""
        return self._defined.data

    @property
    def sampled_posterior(self) -> Posterior:
        """The draws with their model, as hiermod's own functions take them."""
        return self._posterior

    def summary(self, prob: float = 0.95) -> Summary:
        """What lme4 and brms print: family, formula, groups, fixed effects, R-hat, ESS; its repr is the text.

        Examples
        --------
        >>> list(fit.summary().fixed.index)
        ['Intercept', 'treated']
        """
        from hiermod.show.summary import summarize

        return summarize(self._posterior, self.check(), prob)

    def check(self) -> CheckReport:
        """R-hat, bulk and tail ESS, divergences, E-BFMI, tree depth: each with its figure, verdict and next step.

        Examples
        --------
        >>> fit.check().passed
        True
        """
        return check(self._posterior)

    def fixef(self, prob: float = 0.95) -> pd.DataFrame:
        """Common coefficients on the link scale: ``estimate, sd, lower, upper``, a row per term.

        Examples
        --------
        >>> list(fit.fixef().columns)
        ['estimate', 'sd', 'lower', 'upper']
        """
        return estimates.fixef(self._posterior, prob)

    def ranef(self, prob: float = 0.95) -> GroupEstimates:
        """The varying effects on the link scale: posterior means by group, their spread and draws beside them.

        Returns
        -------
        GroupEstimates
            A dict of data frames by grouping factor (index: levels; columns: terms). Its ``table`` has a row per
            factor, term and level, with ``estimate, sd, lower, upper``; ``draws`` are DataArrays by factor.

        Examples
        --------
        >>> effects = fit.ranef()
        >>> effects["country"].shape, list(effects.table.columns)
        ((2, 2), ['group', 'term', 'level', 'estimate', 'sd', 'lower', 'upper'])
        >>> effects.draws["country"].dims
        ('chain', 'draw', 'level', 'term')
        """
        return by_group.ranef(self._posterior, prob)

    def coef(self, prob: float = 0.95) -> GroupEstimates:
        """Common plus varying effects on the link scale, by group, laid out as `ranef`.

        Examples
        --------
        >>> list(fit.coef()["country"].columns)
        ['Intercept', 'treated']
        >>> treated = fit.coef().table.query("term == 'treated'").set_index("level")
        >>> list(treated.index)
        ['Canada', 'China']
        """
        return by_group.coef(self._posterior, prob)

    def draws(self, names: str | Sequence[str] | None = None, *, group: str | None = None) -> pd.DataFrame:
        """The draws as a tidy frame: a row per draw, a column per parameter.

        It has no index but row numbers, so that polars takes it as it is: ``polars.from_pandas(fit.draws())``.

        Parameters
        ----------
        names : str or list of str, optional
            Parameters as `summary` and `hypothesis` name them (``treated``, ``sd(1|country)``), variables of the
            posterior with all their elements (``1|country``), or single ones (``1|country[Canada]``). All parameters,
            the effects of groups last, without it.
        group : str, optional
            A grouping factor, for the long form: a row per draw and level, a column per varying term, as in `ranef`.

        Returns
        -------
        pandas.DataFrame
            Columns ``chain, draw``, then the parameters; or the level, then the terms.

        Raises
        ------
        AnswerError
            If there is no such parameter or grouping factor, or both are given.

        Examples
        --------
        >>> list(fit.draws(["Intercept", "treated"]).columns)
        ['chain', 'draw', 'Intercept', 'treated']
        >>> list(fit.draws(group="country").columns)
        ['chain', 'draw', 'country', 'Intercept', 'treated']
        """
        return tidy_draws.draws_table(self._posterior, names, group)

    def varcorr(self, prob: float = 0.95) -> pd.DataFrame:
        """Variance components: ``grp, var1, var2, vcov, sdcor, lower, upper``, as lme4's ``as.data.frame(VarCorr(m))``.

        Examples
        --------
        >>> list(fit.varcorr()["var1"])
        ['Intercept', 'treated', 'Intercept']
        """
        return estimates.varcorr(self._posterior, prob)

    def rates(
        self, variable: Any = None, *, by: Any = None, where: Any = None, at: Any = None, data: Any = None,
        weights: str | None = None, groups: Groups = "observed", outcome: Outcome | None = None, per: float = 1,
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
        by, where, at, data, weights, groups, outcome, per, prob
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
            variable, by, at, data, weights, groups, threshold=threshold, prob=prob, outcome=outcome, where=where,
            per=per,
        )  # fmt: skip
        return told(rates.rates(self._posterior, arguments))

    def effect(
        self, variable: Any, *, by: Any = None, control: Any = None, scale: Scale = "difference",
        groups: Groups = "observed", data: Any = None, rope: tuple[float, float] | None = None, goal: Goal = "max",
        prob: float = 0.95, weights: str | None = None, where: Any = None, at: Any = None, per: float = 1,
        contrast: Contrast = "control", threshold: float | None = None, outcome: Outcome | None = None,
    ) -> Answer:  # fmt: skip
        """Contrasts of the levels of `variable`, all arms averaged over the same rows.

        Parameters
        ----------
        variable, by, control, scale, groups, data, goal, prob, weights, at, where, per, contrast, threshold, outcome
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
            goal=goal, prob=prob, outcome=outcome, where=where, per=per,
        )  # fmt: skip
        return told(effects.effect(self._posterior, arguments))

    def prob_beats(
        self, variable: Any, *, by: Any = None, control: Any = None, groups: Groups = "observed", data: Any = None,
        goal: Goal = "max", weights: str | None = None, where: Any = None, at: Any = None, per: float = 1,
        outcome: Outcome | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """P(level beats control): a row per `by` cell (``all`` without), a column per other level.

        Units, `per`, leave probabilities as they are.

        Parameters
        ----------
        variable, by, control, groups, data, goal, weights, at, where, per, outcome
            As in every question.

        Examples
        --------
        >>> fit.prob_beats("treated", by="country").shape
        (2, 1)
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, control=control, goal=goal, outcome=outcome, where=where, per=per,
        )  # fmt: skip
        return table_of(effects.prob_beats_table(self._posterior, arguments))

    def pairwise(
        self, variable: Any, *, by: Any = None, groups: Groups = "observed", data: Any = None, goal: Goal = "max",
        weights: str | None = None, where: Any = None, at: Any = None, per: float = 1, outcome: Outcome | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """P(row beats column) for every pair of levels; the diagonal is empty.

        Units, `per`, leave probabilities as they are.

        Parameters
        ----------
        variable, by, groups, data, goal, weights, at, where, per, outcome
            As in every question.

        Examples
        --------
        >>> fit_of_variants.pairwise("variant").shape
        (4, 4)
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, goal=goal, outcome=outcome, where=where, per=per,
        )  # fmt: skip
        return table_of(effects.pairwise(self._posterior, arguments))

    def best(
        self, variable: Any, *, by: Any = None, groups: Groups = "observed", data: Any = None, goal: Goal = "max",
        weights: str | None = None, where: Any = None, at: Any = None, per: float = 1, outcome: Outcome | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """P(best), expected loss (response scale) and expected rank of each level.

        Parameters
        ----------
        variable, by, groups, data, goal, weights, at, where, per, outcome
            As in every question.

        Examples
        --------
        >>> fit_of_variants.best("variant")["prob_best"].idxmax()
        'D'
        """
        arguments = Arguments(
            variable, by, at, data, weights, groups, goal=goal, outcome=outcome, where=where, per=per,
        )  # fmt: skip
        announce(outcome_notices(self._posterior.spec, outcome, groups))
        return table_of(effects.best(self._posterior, arguments))

    def shrinkage(self, group: str | None = None, prob: float = 0.95) -> pd.DataFrame:
        """Raw rate, pooled rate and how far it was pulled, per level of a grouping factor, on the response scale.

        ``pull`` is (raw - estimate) / (raw - estimate without the group's effect); NaN where the denominator is within
        its Monte Carlo error. ``n`` counts rows or trials; of rates by exposure it is the exposure.

        Examples
        --------
        >>> list(fit_of_variants.shrinkage().columns)
        ['n', 'raw', 'estimate', 'lower', 'upper', 'pull']
        """
        announce(outcome_notices(self._posterior.spec, None, "observed"))
        return shrinkage.shrinkage(self._posterior, group, prob)

    def predict(
        self, data: Any = None, kind: Kind = "mean", groups: Groups = "observed", prob: float = 0.95,
        outcome: Outcome | None = None, per: float | None = None,
    ) -> Answer:  # fmt: skip
        """Predictions for each row of `data`, or of the data that was fitted.

        Parameters
        ----------
        data : data frame or path, optional
            Rows with the model's predictors, and the grouping columns where ``groups="observed"``. Without it, the rows
            that were fitted, under their own index; those that the fit left out are missing.
        kind : {"mean", "link", "response"}
            Expected response, linear predictor, or new responses (successes, counts or values).
        groups, prob, outcome
            As in every question.
        per : float, optional
            Means of so many units of exposure, or of trials; without it, of each row's own exposure.

        Returns
        -------
        Answer
            Its table has a row for each of `data`, in order, with its place ``row_number`` and its columns.

        Raises
        ------
        AnswerError
            If rows cannot be predicted, or the fitted ones are not known any more (of a stored fit).

        Examples
        --------
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"country": ["Canada"], "treated": [1]})
        >>> len(fit.predict(rows).table), len(fit.predict().table)
        (1, 400)
        """
        arguments = Arguments(data=data, groups=groups, prob=prob, outcome=outcome, kind=kind, per=per)
        if data is not None:
            return rates.predict(self._posterior, arguments)
        complete = self._defined.definition.complete
        return fitted_rows.predict_fitted(self._posterior, arguments, self._defined.data, complete)

    def predict_cells(
        self, kind: Kind = "mean", groups: Groups = "observed", prob: float = 0.95, outcome: Outcome | None = None,
        per: float | None = None,
    ) -> Answer:  # fmt: skip
        """Predictions for each cell, a set of rows that the model sees as equal, once: the rows of `cells`.

        Parameters and returns are those of `predict`. Rows of the data are not needed, so that a stored fit and one of
        a large table can be asked too.

        Examples
        --------
        >>> len(fit.predict_cells().table) == len(fit.cells)
        True
        """
        return rates.predict(self._posterior, Arguments(groups=groups, prob=prob, outcome=outcome, kind=kind, per=per))

    def fitted(
        self, *, data: Any = None, groups: Groups = "observed", outcome: Outcome | None = None
    ) -> pd.Series[float]:
        """The expected response of each row that was fitted, under the data's own index, as R's `fitted`.

        They are the estimates of `predict`, without its draws: posterior means (medians where there are none), of
        counts at a row's own exposure, of trials the rate. Rows that the fit left out are missing.

        Parameters
        ----------
        data : data frame or path, optional
            The rows that were fitted, where the fit does not hold them any more (one that was stored).
        groups, outcome
            As in every question.

        Returns
        -------
        pandas.Series

        Raises
        ------
        AnswerError
            If the rows are not known, or not those that were fitted.

        Examples
        --------
        >>> fitted = fit.fitted()
        >>> len(fitted), fitted.name
        (400, 'fitted')
        """
        return fitted_rows.fitted(self._posterior, self._own_rows("fitted", data), groups, outcome)

    def residuals(
        self, type: Residual = "response", *, data: Any = None, groups: Groups = "observed"
    ) -> pd.Series[float]:
        """What the response of each row that was fitted is off by, under the data's own index, as R's `residuals`.

        Parameters
        ----------
        type : {"response", "pearson", "quantile"}
            ``response`` less the fitted value, of trials of the share of successes; ``pearson``, that in posterior
            predictive standard deviations, (y - E mu) / sqrt(E V + Var mu); or ``quantile``, randomized quantile
            residuals of Dunn and Smyth (1996): normal quantiles of the predictive chance of less, which the chance of
            the response itself is added to as a share that is drawn (always the same of a fit). They are standard
            normal if the model is right, whatever its family; those of 0/1 responses are mostly drawn.
        data : data frame or path, optional
            The rows that were fitted, where the fit does not hold them any more (one that was stored).
        groups
            As in every question.

        Returns
        -------
        pandas.Series
            Missing where the fit left a row out. A row that counts several times has the residual of each of them.

        Raises
        ------
        AnswerError
            If the rows are not known, or not those that were fitted; if the family has no such residuals.

        Examples
        --------
        >>> residuals = fit.residuals("quantile")
        >>> len(residuals), bool(abs(residuals.mean()) < 0.2)
        (400, True)
        """
        return fitted_rows.residuals(self._posterior, self._own_rows("residuals", data), type, groups)

    def _own_rows(self, asking: str, data: Any) -> fitted_rows.OwnRows:
        rows = self._defined.data if data is None else data
        complete = self._defined.definition.complete
        return fitted_rows.own_rows(self._posterior, rows, complete, f"fit.{asking}(data=...)")

    def interaction(
        self, variable: Any, across: Any, *, by: Any = None, contrast: Contrast = "control", control: Any = None,
        between: Contrast = "control", scale: Scale = "difference", groups: Groups = "observed", data: Any = None,
        weights: str | None = None, where: Any = None, at: Any = None, per: float = 1, threshold: float | None = None,
        goal: Goal = "max", prob: float = 0.95, outcome: Outcome | None = None,
    ) -> Answer:  # fmt: skip
        """How the effect of `variable` differs between the levels of `across`: a difference of differences.

        Effects are those of ``effect(variable, by=across)``, and differ in each draw: differences, lifts and link-scale
        effects are subtracted, ratios and odds ratios divided.

        Parameters
        ----------
        variable, by, contrast, control, scale, groups, data, weights, at, where, per, threshold, goal, prob, outcome
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
            threshold=threshold, goal=goal, prob=prob, outcome=outcome, where=where, per=per,
        )  # fmt: skip
        return told(effects.interaction(self._posterior, arguments))

    def slopes(
        self, variable: str, *, by: Any = None, scale: SlopeScale = "response", groups: Groups = "observed",
        data: Any = None, weights: str | None = None, where: Any = None, at: Any = None, per: float = 1,
        threshold: float | None = None, goal: Goal = "max", prob: float = 0.95, outcome: Outcome | None = None,
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
        by, where, groups, data, weights, per, threshold, goal, prob, outcome
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
            outcome=outcome, where=where, per=per,
        )  # fmt: skip
        return told(slopes.slopes(self._posterior, arguments))

    def decide(
        self, variable: Any, *, by: Any = None, loss: float | None = None, threshold: float = 0.0,
        control: Any = None, groups: Groups = "observed", data: Any = None, weights: str | None = None,
        where: Any = None, at: Any = None, per: float = 1, expected: Any = None, goal: Goal = "max",
        prob: float = 0.95, outcome: Outcome | None = None,
    ) -> verdicts.Decision:  # fmt: skip
        """Ship, keep testing or stop: a verdict for each `by` cell, by expected losses.

        The level with the least expected loss is shipped, or the control kept ("stop"), as soon as the expected loss of
        doing so is at most `loss`; until then the verdict is "keep testing". The rule is printed below the table.

        Parameters
        ----------
        variable, by, groups, data, weights, at, where, per, goal, prob, outcome
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
            outcome=outcome, loss=loss, expected=expected, where=where, per=per,
        )  # fmt: skip
        decision = verdicts.decide(self._posterior, arguments)
        if decision.warning:
            announce([decision.warning])
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
        return verdicts.number_needed(self._posterior, arguments)

    def loo(self, *, max_refits: int = 0, progress: bool = True) -> LeaveOneOut:
        """Expected log predictive density of each row left out (PSIS-LOO), as ArviZ gives it for the raw rows.

        An observation is a row of your data. Each distinct one is computed once and counted as often as it occurs, in
        the sum and in its standard error; a row with a frequency weight counts that often. Densities hold all their
        constants, and are those of the response as the formula has it: of ``log(y)`` where it says so.

        Pooled rates (``pooling="beta"``, ``"gamma"``, ``"none"``) need no draws for it: their posterior without each
        distinct row is integrated anew.

        Parameters
        ----------
        max_refits : int
            At most so many distinct rows, those of the largest Pareto k above what is reliable, are left out by a fit
            without them. `hiermod.compare` does so by itself.
        progress : bool
            Whether to count these fits on stderr.

        Returns
        -------
        LeaveOneOut
            With ``elpd, se, p, n``, the one-row ``table``, and ``pointwise``, a row per distinct observation with its
            Pareto k. Printing it prints a summary.

        Raises
        ------
        AnswerError
            If draws are too few, or rows are not known here; if without a row, pooled rates have no proper posterior.

        Examples
        --------
        >>> loo = fit.loo()
        >>> loo.n, len(loo.pointwise), loo.warning
        (400, 8, False)
        """
        from hiermod.answers.scoring.held_out import Runs
        from hiermod.answers.scoring.leave_one_out import leave_one_out

        return leave_one_out(self._posterior, max_refits, Runs(progress, say=announce_one))

    def kfold(
        self, k: int = 10, *, by: str | Sequence[str] | None = None, stratify: str | Sequence[str] | None = None,
        seed: int | None = None, progress: bool = True,
    ) -> CrossValidation:  # fmt: skip
        """Expected log predictive density of rows in `k` folds, each left out by a fit of the others.

        Fits are of cells: nothing is read again, and the model keeps its coding and its priors, those of all rows.
        Equal rows of a cell are shared among folds by a multivariate hypergeometric draw.

        Parameters
        ----------
        k : int
            How many folds.
        by : str or list of str, optional
            Columns whose groups are kept whole; the standard error is then over groups. Effects of groups that a fold
            leaves out are drawn from their population.
        stratify : str or list of str, optional
            Columns, or the response, whose values are spread evenly over the folds.
        seed : int, optional
            Of the folds.
        progress : bool
            Whether to count fits on stderr.

        Returns
        -------
        CrossValidation

        Raises
        ------
        AnswerError
            If ``pooling="beta"``, or there are not so many rows or groups.

        Examples
        --------
        >>> found = fit.kfold(2, seed=1, progress=False)
        >>> found.n, int(found.pointwise["times"].sum())
        (400, 400)
        """
        from hiermod.answers.scoring.validation import Design

        return self._validated(Design("kfold", k, by, stratify, seed=seed), progress)

    def logo(
        self, group: str | None = None, *, score: Score = "joint", max_refits: int = 20, progress: bool = True
    ) -> CrossValidation:
        """Expected log predictive density of each group, had the model seen no row of it: leave one group out.

        The effects of the group are not set to zero but integrated over their population, by quadrature within each
        draw. The posterior without the group comes from importance sampling, or from a fit without it where Pareto k
        says that this is not reliable. That of pooled rates is integrated anew.

        Parameters
        ----------
        group : str, optional
            A grouping factor, or a column of the data; not needed where the model has one factor.
        score : {"joint", "rows"}
            ``"joint"`` scores the rows of a group together, log p(y_g | y_-g); ``"rows"`` each by itself. Standard
            errors are over groups in both.
        max_refits : int
            At most so many groups are left out by fits.
        progress : bool
            Whether to count these fits on stderr.

        Returns
        -------
        CrossValidation

        Raises
        ------
        AnswerError
            If there is no such group; if without a group, pooled rates have no proper posterior.

        Examples
        --------
        >>> found = fit_of_variants.logo(progress=False)
        >>> list(found.pointwise.columns)
        ['variant', 'rows', 'elpd', 'pareto_k', 'refitted', 'unreliable']
        """
        from hiermod.answers.scoring.validation import Design

        return self._validated(Design("logo", group=group, score=score, max_refits=max_refits), progress)

    def _validated(self, design: Design, progress: bool) -> CrossValidation:
        from hiermod.answers.scoring.held_out import Runs
        from hiermod.answers.scoring.validation import scores_of, validated

        name = str(self._posterior.spec.formula)
        return validated(
            scores_of({name: self._posterior}, self._defined.data, design, Runs(progress, say=announce_one))
        )

    def log_marginal_likelihood(self) -> float:
        """The log of the density of the data, every parameter integrated out: of pooled rates, exactly.

        It holds all constants of the response and of the hyperprior, on which it depends as much as on the data. The
        difference between two fits of the same rows is the log of their Bayes factor; `hiermod.compare` measures
        directly which of them predicts better.

        Raises
        ------
        ModelError
            If the hyperprior is improper, which leaves it arbitrary, or rates are not pooled by ``pooling="beta"``,
            ``"gamma"`` or ``"none"``.

        Examples
        --------
        >>> import hiermod as hm
        >>> proper = {"rate": "Beta(2, 2)", "size": "LogNormal(3, 1)"}
        >>> fit = hm.fit("successes/trials ~ (1 | variant)", hm.example("variants"), pooling="beta", priors=proper,
        ...              progress=False)
        >>> round(fit.log_marginal_likelihood(), 3)
        -17.291
        """
        from hiermod.answers.scoring.marginal_likelihood import log_marginal_likelihood

        return log_marginal_likelihood(self._posterior)

    def hypothesis(self, hypothesis: str | Sequence[str], *, prob: float = 0.95) -> Answer:
        """The posterior probability of statements about parameters, on the link scale, as brms gives it.

        Parameters
        ----------
        hypothesis : str or list of str
            Two expressions compared by ``>``, ``<``, ``>=`` or ``<=``, of parameters as `summary` and
            `Model.prior_summary` name them (``treated``, ``period[2]``, ``sd(1|country)``,
            ``cor(Intercept, treated|country)``, ``sigma``) or single effects (``1|country[Canada]``), numbers,
            ``+ - * / ^``, ``pi`` and ``abs exp log sqrt expit logit``. A name in backticks is taken as it is.
        prob : float
            The probability of the interval (equal-tailed; brms prints 90 % for one-sided statements).

        Returns
        -------
        Answer
            A row for each statement: ``estimate, sd, lower, upper`` of its left side (of its right one where the left
            holds no parameter), its posterior ``probability`` p, the ``evidence_ratio`` p / (1 - p), infinite where it
            holds in every draw, and the mean ``difference`` of its left less its right side.

        Raises
        ------
        FormulaError
            With a caret under what cannot be read, such as ``=``: a single value has no probability.
        AnswerError
            If an expression has no value in some draws, such as the logarithm of a negative number.

        Examples
        --------
        >>> table = fit.hypothesis(["treated > 0", "sd(1|country) > 2 * sd(treated|country)"]).table
        >>> list(table.columns)
        ['hypothesis', 'estimate', 'sd', 'lower', 'upper', 'probability', 'evidence_ratio', 'difference']
        """
        return hypotheses.hypothesis(self._posterior, hypothesis, prob)

    @property
    def formula(self) -> str:
        """The formula, spelled out.

        Examples
        --------
        >>> fit.formula
        'success ~ treated + (1 + treated | country)'
        """
        return self.model.formula

    def nobs(self) -> int:
        """How many rows were fitted: those with missing values are left out, and frequency weights do not count.

        Examples
        --------
        >>> fit.nobs()
        400
        """
        return self._posterior.spec.cells.source.rows

    def ngrps(self) -> dict[str, int]:
        """How many levels each grouping factor has.

        Examples
        --------
        >>> fit.ngrps()
        {'country': 2}
        """
        return {grouping.name: int(grouping.size) for grouping in self._posterior.spec.cells.groupings.values()}

    def sigma(self) -> float:
        """The posterior mean of the residual standard deviation (of a student family: its scale).

        Raises
        ------
        AnswerError
            If the family has none.

        Examples
        --------
        >>> import hiermod as hm
        >>> reaction = hm.fit("Reaction ~ Days", hm.example("sleepstudy"), seed=1, progress=False)
        >>> 40 < reaction.sigma() < 60
        True
        """
        return estimates.sigma(self._posterior)

    def r2(self, *, loo: bool = True, prob: float = 0.95) -> pd.DataFrame:
        """The share of the response's variance that the model explains: the Bayesian R² of Gelman et al. (2019).

        In each draw, the variance of expected responses over that and the mean variance of responses around them, as
        the model has it. Rows weigh as everywhere: trials are rows, so that counts and 0/1 rows have one R².

        Parameters
        ----------
        loo : bool
            Whether to leave rows out, too, which takes as long as `Fit.loo`.
        prob
            As in every question.

        Returns
        -------
        pandas.DataFrame
            Rows ``conditional``, groups with their effects; ``marginal``, what common terms explain with effects at
            zero, the variance between groups being unexplained; and ``loo``, one less the variance of the errors of
            leave-one-out predictions over that of responses. Columns ``estimate, sd, lower, upper``.

        Examples
        --------
        >>> list(fit.r2().index)
        ['conditional', 'marginal', 'loo']
        """
        from hiermod.answers.scoring.explained import r2

        return table_of(r2(self._posterior, loo, prob))

    def icc(self, prob: float = 0.95) -> pd.DataFrame:
        """Intraclass correlations: the share of each grouping factor in the variance on the link scale.

        The variance of rows around their linear predictor is that of the residual, on a logit, probit or cloglog link
        that of the latent response (pi²/3, 1, pi²/6), on a log link log(1 + variance/mean²) at the mean response
        (Nakagawa, Johnson and Schielzeth 2017). Varying slopes count with their mean over rows (Johnson 2014).

        Returns
        -------
        pandas.DataFrame
            A row per grouping factor, one of ``all groups`` where there are several, and per ``icc``: ``adjusted``, and
            ``unadjusted``, where the variance of the common terms stands in the denominator, too. Columns
            ``group, icc, estimate, sd, lower, upper``.

        Raises
        ------
        AnswerError
            If the model has no varying effects.

        Examples
        --------
        >>> fit.icc()[["group", "icc"]].to_numpy().tolist()
        [['country', 'adjusted'], ['country', 'unadjusted']]
        """
        from hiermod.answers.parameters.icc import icc

        return icc(self._posterior, prob)

    def prior_summary(self) -> pd.DataFrame:
        """Every prior in numbers, as `Model.prior_summary` gives them.

        Examples
        --------
        >>> list(fit.prior_summary()["parameter"])[:2]
        ['Intercept', 'treated']
        """
        return self.model.prior_summary()

    def ppc(self, stat: Any = None, *, by: Any = None, draws: int | None = None, prob: float = 0.95) -> pd.DataFrame:
        """Statistics of the data beside those of data that the model draws for the same rows.

        Of a fit this is a posterior predictive check, of `Model.sample_prior` a prior predictive one. The picture of it
        is ``plot.ppc(stat=...)``.

        Parameters
        ----------
        stat : str, function or list of these, optional
            ``"mean", "sd", "min", "median", "max", "zeros"`` (sd divides by the number of rows, zeros is their share),
            or a function of the array of the responses of all rows. Of successes in several trials, responses are the
            shares of successes. Without it, those that suit the family.
        by : str or list of str, optional
            Columns of the model; the statistics are then those of the rows of each combination.
        draws : int, optional
            How many data sets are drawn; otherwise up to 200.
        prob
            As in every question.

        Returns
        -------
        pandas.DataFrame
            The `by` columns, ``stat, observed``, and of the drawn data ``estimate`` (mean), ``lower, upper`` and ``p``:
            the chance that the statistic of drawn data is above that of yours, ties counted half. Near 0 or 1, the
            model does not draw such data. On the scale of the response.

        Raises
        ------
        AnswerError
            If there is no such statistic or column, or the rows are not known here or too many.

        Examples
        --------
        >>> list(fit.ppc("mean", by="country").columns)
        ['country', 'stat', 'observed', 'estimate', 'lower', 'upper', 'p']
        """
        from hiermod.answers.checks.predictive_checks import predictive_check

        return predictive_check(self._posterior, stat, by, draws, prob)

    def loo_pit(self) -> pd.DataFrame:
        """Where each row's response lies in what the model predicts for it from all other rows (LOO-PIT).

        The weights are those of `Fit.loo`. Under a model that predicts well, the values are uniform: many near 0 and 1
        mean predictions that are too narrow, many in the middle too wide ones. ``fit.plot.loo_pit()`` shows it.

        Returns
        -------
        pandas.DataFrame
            A row per distinct observation: its ``cell`` (row of ``fit.cells``), response and ``times``; ``lower`` and
            ``upper``, the chances of a lower and of a lower or equal response, which are one number where the response
            is continuous; and ``pareto_k``.

        Raises
        ------
        AnswerError
            Where `Fit.loo` raises it.

        Examples
        --------
        >>> list(fit.loo_pit().columns)
        ['cell', 'successes', 'trials', 'times', 'lower', 'upper', 'pareto_k']
        """
        from hiermod.answers.checks.predictive_checks import loo_pit

        return loo_pit(self._posterior)

    def calibration(self, draws: int | None = None, prob: float = 0.95) -> pd.DataFrame:
        """Observed against predicted rates: whether of what is predicted with 30 %, 30 % come true.

        Predicted rates are posterior means on the response scale. Observed rates are the non-decreasing ones that are
        nearest to the data (isotonic regression), so that there are no bins to choose. Data that the model draws,
        treated alike, give the interval within which observed rates are to be expected.

        Parameters
        ----------
        draws : int, optional
            How many data sets are drawn; otherwise up to 200.
        prob : float
            The probability of the interval, which holds at each predicted rate.

        Returns
        -------
        pandas.DataFrame
            A row per distinct predicted rate: ``predicted, n`` (trials), ``observed, lower, upper``.

        Raises
        ------
        AnswerError
            If the family has no rates.

        Examples
        --------
        >>> list(fit.calibration()["n"])
        [100, 100, 100, 100]
        """
        from hiermod.answers.checks.predictive_checks import calibration

        return calibration(self._posterior, draws, prob)

    def outlying(self, group: str | None = None, prob: float = 0.95) -> Outlying:
        """Which groups stand out from the population that the model takes them from.

        Effects are measured in standard deviations of their population (link scale), draw by draw. A group stands out
        if its distance is more likely than not beyond what the most distant of so many groups of a normal population
        exceeds with a chance of 5 %. With several effects, the distance is Mahalanobis's. Effects are shrunk towards
        that population, so that groups with few rows hardly ever stand out.

        Parameters
        ----------
        group : str, optional
            The grouping factor, required where there are several.
        prob : float
            The probability of the intervals.

        Returns
        -------
        Outlying
            With ``table`` (a row per group), ``effects``, ``limit`` and ``groups``, those that stand out.

        Raises
        ------
        AnswerError
            If there is no such grouping factor, or there are several and none is named.

        Examples
        --------
        >>> fit_of_variants.outlying().groups
        []
        """
        from hiermod.answers.checks.outlying import outlying

        return outlying(self._posterior, group, prob)

    def sensitivity(
        self, variable: str | None = None, *, by: Any = None, control: Any = None, groups: Groups = "observed",
        goal: Goal = "max", threshold: float = 0.95, prob: float = 0.95,
    ) -> Sensitivity:  # fmt: skip
        """Tell whether the conclusion would change under other priors.

        The model is fitted again with the priors of common coefficients half and twice as wide, then with those of the
        standard deviations of groups, and effects and P(beats) are held beside those of this fit. Power-scaling
        (Kallioinen et al. 2024) tells which parameters follow their prior; densities of coefficients are those of the
        predictors' means, where priors are stated, and effects of groups count to the model, not to the prior. Priors
        of correlations and of the family's parameters keep their width. Effects are differences on the response scale.

        Parameters
        ----------
        variable : str, optional
            Whose effect the conclusion is about, as in `effect`. Otherwise each 0/1, boolean or categorical predictor;
            slopes where there are none (link scale, P(slope > 0) whatever the `goal`); groups of small factors where
            there are no predictors; or the rate.
        by, control, groups, goal, prob
            As in every question.
        threshold : float
            From which P(beats) on something is concluded, and below one minus it, the contrary.

        Returns
        -------
        Sensitivity
            With ``verdict`` in words, ``conclusions``, ``changed`` and ``power``. Printing it prints all.

        Raises
        ------
        ModelError
            If the prior is improper, as that of ``pooling="beta"``, or not hiermod's, as of a fit from Bambi.
        AnswerError
            If draws are too few, or what is claimed cannot be asked.
        SamplingError
            If a model with other priors cannot be sampled.

        Examples
        --------
        >>> seen = fit.sensitivity("treated", by="country")
        >>> len(seen.conclusions), list(seen.power.columns)
        (10, ['prior', 'likelihood', 'diagnosis'])
        """
        from hiermod.show.sensitivity import assess

        claim = Arguments(variable, by=by, control=control, groups=groups, goal=goal, prob=prob)
        return assess(self._posterior, claim, threshold, lambda text: announce([text]))

    def update(self, formula: str | None = None, data: Any = None, **changes: Any) -> Fit:
        """Fit again, with everything as it was but for what is named: R's `update`.

        Nothing is compiled anew where the compiled engine takes the model, so that new data of the same structure costs
        the sampling. The seed is kept too, if one was given: name another for a run of its own.

        Parameters
        ----------
        formula : str, optional
            A formula. A dot on its left is the old response, on its right all old terms, as in R: ``". ~ . + x"``,
            ``". ~ . - (1 | g)"``, ``"~ . + (1 | h)"``, ``"log(.) ~ ."``.
        data : data frame or path, optional
            Other rows; the fitted ones without it, read again from the frame as it is now if the formula changed.
        **changes
            Any of the other arguments of `hiermod.fit`: ``family``, ``priors``, ``pooling``, ``na``, ``compress``,
            ``intercept_at``, ``draws``, ``tune``, ``chains``, ``cores``, ``seed``, ``target_accept``, ``engine``,
            ``progress``. Priors are added to those of this fit, as in brms; ``priors={"sd": None}`` takes one back,
            ``priors=None`` all. The family stays the one that was taken, unless the response changes.

        Returns
        -------
        Fit

        Raises
        ------
        ModelError
            If a change is unknown, or needs the data of a fit that was stored without it.
        FormulaError, DataError, PriorError, SamplingError
            As in `hiermod.fit`.

        Examples
        --------
        >>> wider = fit.update(priors={"sd": "HalfNormal(2)"}, draws=100, chains=2, progress=False)
        >>> wider
        <hiermod.Fit success ~ treated + (1 + treated | country), family bernoulli, 2 x 100 draws>
        >>> fit.update("~ . - (1 + treated | country)", draws=100, chains=2, progress=False)
        <hiermod.Fit success ~ treated, family bernoulli, 2 x 100 draws>
        """
        progress = changes.pop("progress", True)
        refuse_unknown(changes)
        settings = changed_settings(self._posterior.asked, changes)
        defined = changed_model(self._defined, formula, data, changes)
        model = self.model if defined is self._defined else Model(defined)
        return model.sampled(settings, progress)

    def save(self, path: str | Path) -> None:
        """Write the fit to a NetCDF file, from which `hiermod.load` gives the same answers to the last bit.

        Examples
        --------
        >>> fit.save(folder / "country.nc")
        """
        save(StoredFit(self._defined, self._posterior), path)


class Model:
    """A hierarchical model of some data, before sampling. Made by `hiermod.model`.

    Attributes
    ----------
    cells : pandas.DataFrame
        The compressed table that the model sees.
    notices : list of str
        What was inferred from the data.

    Examples
    --------
    >>> fit.model
    <hiermod.Model success ~ treated + (1 + treated | country), family bernoulli, 4 cells>
    """

    def __init__(self, defined: Defined) -> None:
        self._defined = defined
        self._samplers: dict[str, Sampler] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Compiled code and its memory belong to a process; another one makes them anew when it samples."""
        return {**self.__dict__, "_samplers": {}}

    def __repr__(self) -> str:
        spec = self._defined.spec
        return f"<hiermod.Model {spec.formula}, family {spec.family}, {len(spec.cells)} cells>"

    @property
    def cells(self) -> pd.DataFrame:
        """The compressed table: a row per cell, its predictors and sufficient statistics."""
        return self._defined.spec.cells.table()

    @property
    def notices(self) -> list[str]:
        """What was inferred: family, reference levels, rows dropped."""
        return list(self._defined.notices)

    @property
    def formula(self) -> str:
        """The formula, spelled out."""
        return str(self._defined.spec.formula)

    @property
    def family(self) -> str:
        """The family, with its link where that is not the usual one."""
        return str(self._defined.spec.family)

    def fit(
        self, *, draws: int = 1000, tune: int | None = None, chains: int = 4, cores: int | None = None,
        seed: int | None = None, target_accept: float | None = None, engine: Engine = "auto", progress: bool = True,
    ) -> Fit:  # fmt: skip
        """Sample the posterior. Parameters are those of `hiermod.fit`; a second call does not compile again.

        Raises
        ------
        SamplingError
            If a setting is out of range, or there are no draws to keep.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> fit = model.fit(seed=1, progress=False)  # doctest: +SKIP
        """
        check_switch("progress", progress)
        return self.sampled(Settings(draws, tune, chains, cores, seed, target_accept, engine), progress)

    def sampled(self, settings: Settings, progress: bool) -> Fit:
        """Sample with settings that were checked before."""
        engine = settings.engine
        if engine not in self._samplers:
            self._samplers[engine] = choose_sampler(self._defined.spec, engine, lambda text: announce([text]))
        sampler = self._samplers[engine]
        announce([str(sampler.engine)])
        posterior = sample(self._defined.spec, sampler, settings, progress)
        announce(posterior.run_notices)
        return Fit(self, posterior)

    def with_draws(self, draws: Any) -> Fit:
        """A `Fit` of this model from draws that somebody else made, such as ``pm.sample(model=model.pymc())``.

        Parameters
        ----------
        draws : xarray.DataTree or xarray.Dataset
            A posterior with dims ``chain, draw`` and a variable for each parameter, named as in `pymc`.

        Raises
        ------
        SamplingError
            If a parameter is missing or has another shape.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> fit = model.with_draws(fit_of_variants.idata)
        >>> list(fit.rates("variant").table.columns)
        ['variant', 'estimate', 'lower', 'upper', 'rows', 'seen']
        """
        return Fit(self, posterior_from_draws(self._defined.spec, draws))

    def explain(self) -> Explanation:
        """The model in words: what each term means, how each predictor is coded, the priors; equations in a notebook.

        Examples
        --------
        >>> print(str(fit.model.explain()).splitlines()[0])
        success ~ treated + (1 + treated | country)
        """
        from hiermod.show.explanation import explain

        return explain(self._defined.spec)

    def prior_summary(self) -> pd.DataFrame:
        """Every prior in numbers.

        Returns
        -------
        pandas.DataFrame
            Columns ``parameter, prior, scale, stated_at``: the last says where the numeric predictors stand for the
            prior of a coefficient (their weighted means), empty where that plays no part.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("success ~ treated + (1 + treated | country)", hm.example("country"))
        >>> print(model.prior_summary()[["parameter", "prior"]].to_string(index=False))
                  parameter             prior
                  Intercept StudentT(3, 0, 1)
                    treated StudentT(3, 0, 1)
              sd(1|country)     HalfNormal(1)
        sd(treated|country)     HalfNormal(1)
               cor(country)            LKJ(2)
        """
        return prior_summary(self._defined.spec)

    def sample_prior(self, draws: int = 1000, seed: int | None = None) -> PriorDraws:
        """Draw from the prior, to see what it says before any data: of rates, of effects, of responses.

        Draws are independent and made by NumPy: nothing is compiled. They depend on the data where priors do: on its
        columns' means and standard deviations, its groups, and its response on an identity or log link.

        Parameters
        ----------
        draws : int
            How many.
        seed : int, optional
            Makes them repeatable.

        Returns
        -------
        PriorDraws
            Of which the same is asked as of a fit: ``rates, effect, predict, ppc``, and what is `implied`.

        Raises
        ------
        ModelError
            With ``pooling="beta"``, whose hyperprior is improper.
        SamplingError
            If a setting is out of range, or draws of so many groups would be too many.

        Examples
        --------
        >>> prior = fit.model.sample_prior(1000, seed=1)
        >>> list(prior.rates("treated").table.columns)
        ['treated', 'estimate', 'lower', 'upper', 'rows', 'seen']
        """
        return PriorDraws(self, sample_prior(self._defined.spec, draws, seed))

    def pymc(self) -> pm.Model:
        """The `pymc.Model` on the cells; its free variables carry Bambi's names.

        Its log density is that of the model on raw rows, up to a constant.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> [variable.name for variable in model.pymc().free_RVs]
        ['Intercept', '1|variant_sigma', '1|variant_offset']
        """
        from hiermod.modeling.pymc.model import build_model

        return build_model(self._defined.spec)

    def bambi(self) -> Any:
        """The equivalent `bambi.Model` on the rows behind the cells, its density equal up to a constant.

        Raises
        ------
        ModelError
            If Bambi cannot express the model: ``pooling="beta"``, or terms that it codes differently.

        Examples
        --------
        >>> import hiermod as hm
        >>> model = hm.model("successes/trials ~ (1|variant)", hm.example("variants"))
        >>> model.bambi().formula.main
        'p(successes, trials) ~ 1 + (1 | variant)'
        """
        from hiermod.modeling.bambi.bridge import build_bambi

        return build_bambi(self._defined.spec)
