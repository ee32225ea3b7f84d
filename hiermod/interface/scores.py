"""`Scores`: how well a fit predicts what it has not seen, what it explains, and whether it draws data like its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hiermod.answers.averaging.query import Arguments
from hiermod.choices import Goal, Groups, Outcome, Score
from hiermod.interface.arguments import documented
from hiermod.interface.notices import announce, announce_one, table_of
from hiermod.modeling.definition import Defined
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

    from hiermod.answers.checks.outlying import Outlying
    from hiermod.answers.scoring.leave_one_out import LeaveOneOut
    from hiermod.answers.scoring.validation import CrossValidation, Design
    from hiermod.show.sensitivity import Sensitivity


@documented
class Scores:
    """Scores and checks of a fit, by the data that it was made of."""

    _posterior: Posterior
    _defined: Defined

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
        from hiermod.answers.scoring.validation import Design

        design = Design("loo", max_refits=max_refits)
        return leave_one_out(self._posterior, design.max_refits, Runs(progress, say=announce_one))

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
            ``"joint"`` scores the rows of a group together, ``log p(y_g | y_-g)``; ``"rows"`` each by itself. Standard
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
        (Nakagawa, Johnson and Schielzeth 2017). Varying slopes count with their mean over rows (Johnson 2014). Where
        other parameters have linear predictors too, it is of mu's, they stand at their averages over rows, and groups'
        differences in them are left out, as a notice says.

        Returns
        -------
        pandas.DataFrame
            A row per grouping factor, one of ``all groups`` where there are several, and per ``icc``: ``adjusted``, and
            ``unadjusted``, where the variance of the common terms stands in the denominator, too. Columns
            ``group, icc, estimate, sd, lower, upper``.

        Raises
        ------
        AnswerError
            If the model has no varying effects of mu, or no link ties the mean of a response to mu alone.

        Examples
        --------
        >>> fit.icc()[["group", "icc"]].to_numpy().tolist()
        [['country', 'adjusted'], ['country', 'unadjusted']]
        """
        from hiermod.answers.parameters.icc import icc

        return table_of(icc(self._posterior, prob))

    def ppc(self, stat: Any = None, *, by: Any = None, draws: int | None = None, prob: float = 0.95) -> pd.DataFrame:
        """Statistics of the data beside those of data that the model draws for the same rows.

        Of a fit this is a posterior predictive check, of `Model.sample_prior` a prior predictive one. The picture of it
        is ``plot.ppc(stat=...)``.

        Parameters
        ----------
        stat : str, function or list of these, optional
            ``"mean", "sd", "min", "median", "max", "zeros"`` (sd divides by the number of rows, zeros is their share),
            or a function of the array of the responses of all rows. Of successes in several trials, responses are the
            shares of successes; of ordered categories, the scores. Without it, those that suit the family: of
            categories the share of each, the only one of those without an order.
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
        goal: Goal = "max", threshold: float = 0.95, prob: float = 0.95, outcome: Outcome | None = None,
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
        by, control, groups, goal, prob, outcome
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

        claim = Arguments(variable, by=by, control=control, groups=groups, goal=goal, prob=prob, outcome=outcome)
        return assess(self._posterior, claim, threshold, lambda text: announce([text]))
