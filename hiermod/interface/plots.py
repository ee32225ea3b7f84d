"""`fit.plot` and `prior.plot`: pictures of answers and checks, as matplotlib Axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.answers.estimands.shrinkage import shrinkage
from hiermod.answers.parameters.by_group import ranef
from hiermod.choices import Picture, RowOrder
from hiermod.interface.questions import Questions
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.prior_draws import sample_prior
from hiermod.terminal import lines_of, width

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes


class AnswerPlots:
    """Pictures of what can be asked of a fit and of a prior alike."""

    def __init__(self, asked: Questions) -> None:
        self._asked = asked

    @property
    def _posterior(self) -> Posterior:
        return self._asked._posterior

    @property
    def _drawn(self) -> Posterior:
        """The draws, which may know groups by their patterns alone."""
        return self._asked._drawn

    def rates(
        self, variable: Any = None, *, by: Any = None, kind: Any = None, sort: RowOrder = "auto", page: int = 1,
        ax: Axes | None = None, **options: Any,
    ) -> Axes:  # fmt: skip
        """Rates in rows, the mean with a 50 % interval (thick) and a ``prob`` one (thin), or as a curve over a number.

        With two or more columns, colours are the levels of the last. If nothing is asked for, the predictors of the
        model with few levels are the variables, and its groups the cells. `kind`, `sort` and `page` are those of
        `Answer.plot`, further options those of `Fit.rates`.

        Examples
        --------
        >>> fit.plot.rates("treated", by="country").get_ylabel()
        'country'
        """
        from hiermod.show.forest import default_columns

        if variable is None and by is None:
            variable, by = default_columns(self._posterior.spec)
        return self._asked.rates(variable, by=by, **options).plot(kind, sort=sort, page=page, ax=ax)

    def effect(
        self, variable: Any, *, kind: Any = None, sort: RowOrder = "auto", page: int = 1, ax: Axes | None = None,
        **options: Any,
    ) -> Axes:  # fmt: skip
        """Effects in rows with a dashed line at none, and P(beats) at the right of each row; curves with ``at=``.

        `kind`, `sort` and `page` are those of `Answer.plot`, further options those of `Fit.effect`.

        Examples
        --------
        >>> fit.plot.effect("treated", by="country").get_ylabel()
        'country'
        """
        return self._asked.effect(variable, **options).plot(kind, sort=sort, page=page, ax=ax)

    def slopes(
        self, variable: str, *, kind: Any = None, sort: RowOrder = "auto", page: int = 1, ax: Axes | None = None,
        **options: Any,
    ) -> Axes:  # fmt: skip
        """Slopes in rows, or as a curve: ``fit.plot.slopes("age", at=hm.grid("age"))``.

        `kind`, `sort` and `page` are those of `Answer.plot`, further options those of `Fit.slopes`.

        Examples
        --------
        >>> fit.plot.slopes("treated", by="country", scale="link").get_ylabel()
        'country'
        """
        return self._asked.slopes(variable, **options).plot(kind, sort=sort, page=page, ax=ax)

    def ridges(
        self, variable: Any = None, *, by: Any = None, sort: RowOrder = "auto", ax: Axes | None = None, **options: Any
    ) -> Axes:
        """The posterior density of each rate, one above the other, with the raw mean of all data as a dashed line.

        Columns and options are those of `rates`.

        Examples
        --------
        >>> fit_of_variants.plot.ridges("variant").get_ylabel()
        'variant'
        """
        return self.rates(variable, by=by, kind="ridges", sort=sort, ax=ax, **options)

    def prob_beats(self, variable: Any, *, control: Any = None, ax: Axes | None = None, **options: Any) -> Axes:
        """A heat map of P(level beats the control): a row for each `by` cell, a column for each level.

        Options are those of `Fit.prob_beats`. Blue is above one half, orange below.

        Examples
        --------
        >>> fit.plot.prob_beats("treated", by="country").get_ylabel()
        'country'
        """
        from hiermod.answers.averaging.contrasts import control_of
        from hiermod.show.heat_maps import plot_probabilities
        from hiermod.show.style import one

        table = self._asked.prob_beats(variable, control=control, **options)
        name = f"P(beats {one(control_of(self._posterior.spec, variable, control))})"
        return plot_probabilities(table, name, name, True, ax)

    def pairwise(self, variable: Any, *, ax: Axes | None = None, **options: Any) -> Axes:
        """A heat map of P(row beats column) of every pair of levels; options are those of `Fit.pairwise`.

        Examples
        --------
        >>> fit_of_variants.plot.pairwise("variant").get_ylabel()
        'variant'
        """
        from hiermod.show.heat_maps import plot_probabilities

        table = self._asked.pairwise(variable, **options)
        return plot_probabilities(table, "P(row beats column)", "P(row beats column)", True, ax)

    def best(self, variable: Any, *, ax: Axes | None = None, **options: Any) -> Axes:
        """A heat map of P(best): a column for each level, a row for each `by` cell; options are those of `Fit.best`.

        Examples
        --------
        >>> fit_of_variants.plot.best("variant").get_xlabel()
        'variant'
        """
        from hiermod.show.heat_maps import plot_probabilities

        table = self._asked.best(variable, **options)["prob_best"]
        levels = table.index.get_level_values(-1)
        wide = table.unstack(-1) if table.index.nlevels > 1 else table.to_frame().T.set_axis(["all"])
        wide = wide[list(dict.fromkeys(levels))].rename_axis(columns=str(table.index.names[-1]))
        if table.index.nlevels > 1:
            wide = wide.reindex(list(dict.fromkeys(key[0] if len(key) == 2 else key[:-1] for key in table.index)))
        return plot_probabilities(wide, "P(best)", "P(best)", False, ax)


class FitPlots(AnswerPlots):
    """Plots of a fit. Each draws into ``ax=``, or into a new figure, and returns the matplotlib Axes."""

    def __repr__(self) -> str:
        names = (
            "plots: .rates(variable), .effect(variable), .slopes(variable), .ridges(variable), .prob_beats(variable), "
            ".pairwise(variable), .best(variable), .ranef(group, term), .shrinkage(group), .trace(names), "
            ".pairs(names), .ppc(kind, stat), .loo_pit(), .calibration(), .outlying(group), .prior_posterior(names)"
        )
        return lines_of(names, width())

    def ranef(
        self, group: str | None = None, term: str | None = None, *, sort: RowOrder = "estimate", prob: float = 0.95,
        page: int = 1, ax: Axes | None = None,
    ) -> Axes:  # fmt: skip
        """A caterpillar: the varying effects of one term on the link scale, the largest first.

        Parameters
        ----------
        group : str, optional
            The grouping factor; required where there are several.
        term : str, optional
            Such as ``"treated"``; the first one, mostly the intercept, without it.
        sort : {"estimate", "level"}
            The order of rows.
        prob : float
            Of the thin lines' interval; thick ones have 50 %.
        page : int
            Of more than 200 groups.
        ax : matplotlib Axes, optional
            Where to draw.

        Examples
        --------
        >>> fit.plot.ranef(term="treated").get_ylabel()
        'country'
        """
        from hiermod.show.caterpillar import plot_ranef

        return plot_ranef(ranef(self._posterior, prob), group, term, sort, prob, page, ax)

    def pairs(self, names: Any = None) -> np.ndarray:
        """Draws of every pair of parameters, divergent ones in orange, and densities; a square array of Axes.

        Parameters
        ----------
        names : str or list of str, optional
            Up to six parameters as in ``fit.plot.trace``; otherwise the first ones.

        Examples
        --------
        >>> fit.plot.pairs(["Intercept", "treated"]).shape
        (2, 2)
        """
        from hiermod.show.parameter_plots import plot_pairs

        return plot_pairs(self._drawn, names)

    def shrinkage(
        self, group: str | None = None, *, prob: float = 0.95, page: int = 1, ax: Axes | None = None
    ) -> Axes:  # fmt: skip
        """Raw (hollow) and pooled (filled) rate of each level, the grand rate as a dashed line, sizes showing n.

        Of effects with known standard errors, ``y | se(s)``, it is a forest plot: raw effects have intervals by their
        standard errors, and sizes show their precision.

        More than 40 levels are sorted by their pooled rate; a new figure of more than 60 has columns, of more than 200
        pages.

        Examples
        --------
        >>> fit_of_variants.plot.shrinkage().get_ylabel()
        'variant'
        """
        from hiermod.show.shrinkage import plot_shrinkage

        return plot_shrinkage(self._posterior, shrinkage(self._posterior, group, prob), ax, prob, page)

    def trace(self, names: Any = None) -> Any:
        """Densities and traces of each chain, with R-hat and ESS; an array of Axes with a row per parameter.

        Parameters
        ----------
        names : str or list of str, optional
            Variables of `Fit.posterior`, single elements (``"1|country[Canada]"``), or names of `Model.prior_summary`;
            otherwise common coefficients, standard deviations, correlations and sigma.

        Examples
        --------
        >>> fit.plot.trace().shape
        (5, 2)
        """
        from hiermod.show.parameter_plots import plot_trace

        return plot_trace(self._drawn, names)

    def ppc(
        self, kind: Picture | None = None, *, stat: Any = None, by: Any = None, draws: int | None = None, ax: Any = None
    ) -> Any:
        """A predictive check: your data beside data that the model draws for the same rows, on the response scale.

        Parameters
        ----------
        kind : {"density", "rootogram", "bars"}, optional
            Densities of your values and of each drawn data set (real responses); how often each count occurs, on a
            square-root scale, with the drawn frequencies as points with 95 % intervals (counts); or bars of the rate or
            mean in each cell of `by`, with those drawn; of responses of categories, of the share of each. Without it,
            the one for the family: bars for rates and categories.
        stat : str or function, optional
            In place of `kind`: a histogram of one statistic of drawn data, with that of your data as a line and the
            predictive p-value; as in `Fit.ppc`.
        by : str or list of str, optional
            For bars, the columns whose combinations are the bars; the groups and predictors with few levels without it.
            Of densities, rootograms and categories, those whose combinations, 12 at most, have a panel each; the first
            panel's Axes are returned.
        draws : int, optional
            How many data sets are drawn; otherwise up to 200.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        AnswerError
            If the kind does not fit the family, there is no such statistic or column, or the rows are too many.

        Examples
        --------
        >>> fit.plot.ppc().get_ylabel()
        'success rate'
        >>> fit.plot.ppc(stat="mean").get_xlabel()
        'mean of success'
        """
        from hiermod.show.predictive_plots import plot_predictive

        return plot_predictive(self._posterior, "posterior", kind, stat, by, draws, ax)

    def loo_pit(self, *, bins: int = 10, ax: Any = None) -> Any:
        """A histogram of `Fit.loo_pit`, with a band that holds 95 % of each bar's height if the model is right.

        Discrete responses are spread evenly over their interval. Of 0/1 responses it says little: see `calibration`.

        Examples
        --------
        >>> fit.plot.loo_pit().get_ylabel()
        'share of rows'
        """
        from hiermod.answers.checks.predictive_checks import loo_pit
        from hiermod.show.predictive_plots import plot_loo_pit

        return plot_loo_pit(loo_pit(self._posterior), bins, ax)

    def calibration(self, *, draws: int | None = None, prob: float = 0.95, ax: Any = None) -> Any:
        """Observed against predicted rates, as `Fit.calibration` has them, with the interval to be expected.

        Examples
        --------
        >>> fit.plot.calibration().get_xlabel()
        'predicted success rate'
        """
        from hiermod.answers.checks.predictive_checks import calibration
        from hiermod.show.predictive_plots import plot_calibration

        return plot_calibration(self._posterior.spec, calibration(self._posterior, draws, prob), prob, ax)

    def outlying(self, group: str | None = None, *, prob: float = 0.95, ax: Any = None) -> Any:
        """Each group's effects in standard deviations of their population, outlying groups named in the title.

        Dashed lines stand at the limit of `Fit.outlying`. Groups are sorted by their first effect.

        Examples
        --------
        >>> fit.plot.outlying().get_ylabel()
        'country'
        """
        from hiermod.answers.checks.outlying import outlying
        from hiermod.show.predictive_plots import plot_outlying

        return plot_outlying(outlying(self._posterior, group, prob), prob, ax)

    def prior_posterior(self, names: Any = None, *, seed: int = 0) -> Any:
        """The density of each parameter before (grey) and after (coloured) the data; an array of Axes.

        Draws from the prior are those of `Model.sample_prior`, in your coding of the predictors.

        Parameters
        ----------
        names : str or list of str, optional
            Parameters as in ``fit.plot.trace``; otherwise common coefficients, standard deviations, correlations and
            the family's own.
        seed : int
            Of the draws from the prior.

        Raises
        ------
        ModelError
            With ``pooling="beta"``, whose prior is improper.

        Examples
        --------
        >>> fit.plot.prior_posterior(["treated", "sd(1|country)"]).shape
        (2,)
        """
        from hiermod.show.parameter_plots import PRIOR_DRAWS, plot_prior_posterior

        prior = sample_prior(self._drawn.spec, PRIOR_DRAWS, seed)
        return plot_prior_posterior(prior, self._drawn, names)


class PriorPlots(AnswerPlots):
    """Plots of draws from the prior. Each draws into ``ax=``, or into a new figure, and returns the Axes."""

    def __repr__(self) -> str:
        names = "plots: .implied(variable), .rates(variable), .effect(variable), .slopes(variable), .ppc(kind, stat)"
        return lines_of(names, width())

    def implied(self, variable: str | None = None, *, ax: Any = None) -> Any:
        """What the priors say about the response: the density of a row's expected response, with its quantiles.

        With `variable`, the density of the difference between its levels, on the response scale.

        Examples
        --------
        >>> fit.model.sample_prior(500, seed=1).plot.implied().get_xlabel()
        'success rate'
        """
        from hiermod.answers.checks.implied import implied
        from hiermod.show.parameter_plots import plot_implied

        return plot_implied(implied(self._posterior, variable), effects=variable is not None, ax=ax)

    def ppc(
        self, kind: Picture | None = None, *, stat: Any = None, by: Any = None, draws: int | None = None, ax: Any = None
    ) -> Any:
        """A prior predictive check: your data beside data that the prior draws; arguments are those of `FitPlots.ppc`.

        Examples
        --------
        >>> fit.model.sample_prior(500, seed=1).plot.ppc(stat="mean").get_xlabel()
        'mean of success'
        """
        from hiermod.show.predictive_plots import plot_predictive

        return plot_predictive(self._posterior, "prior", kind, stat, by, draws, ax)
