"""`fit.plot` and `prior.plot`: pictures of answers and checks, as matplotlib Axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hiermod.answers.answer import Answer
from hiermod.answers.estimands.shrinkage import shrinkage
from hiermod.choices import Picture
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.prior_draws import sample_prior


class FitPlots:
    """Plots of a fit. Each draws into ``ax=``, or into a new figure, and returns the matplotlib Axes."""

    def __init__(self, posterior: Posterior, rates: Callable[..., Answer], effect: Callable[..., Answer]) -> None:
        self._posterior, self._rates, self._effect = posterior, rates, effect

    def __repr__(self) -> str:
        return (
            "plots: .rates(variable), .effect(variable), .shrinkage(group), .trace(names), .ppc(kind, stat), "
            ".loo_pit(), .calibration(), .outlying(group), .prior_posterior(names)"
        )

    def rates(self, variable: Any = None, *, by: Any = None, ax: Any = None, **options: Any) -> Any:
        """A forest of rates: the mean with a 50 % interval (thick) and a ``prob`` one (thin) at each value, per cell.

        With two or more columns, colours are the levels of the last. If nothing is asked for, the predictors of the
        model with few levels are the variables, and its groups the cells. Further options are those of `Fit.rates`.

        Examples
        --------
        >>> fit.plot.rates("treated", by="country").get_ylabel()
        'country'
        """
        from hiermod.show.forest import default_columns, plot_answer

        if variable is None and by is None:
            variable, by = default_columns(self._posterior.spec)
        return plot_answer(self._rates(variable, by=by, **options), ax=ax)

    def effect(self, variable: str, *, ax: Any = None, **options: Any) -> Any:
        """A forest of effects with a dashed line at no effect and P(beats the control) at the right of each row.

        Options are those of `Fit.effect`.

        Examples
        --------
        >>> fit.plot.effect("treated", by="country").get_ylabel()
        'country'
        """
        from hiermod.show.forest import plot_answer

        return plot_answer(self._effect(variable, **options), ax=ax)

    def shrinkage(self, group: str | None = None, *, prob: float = 0.95, ax: Any = None) -> Any:
        """Raw (hollow) and pooled (filled) rate of each level, the grand rate as a dashed line, sizes showing n.

        More than 40 levels are sorted by their pooled rate.

        Examples
        --------
        >>> fit_of_variants.plot.shrinkage().get_ylabel()
        'variant'
        """
        from hiermod.show.forest import plot_shrinkage

        return plot_shrinkage(self._posterior, shrinkage(self._posterior, group, prob), ax=ax, prob=prob)

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

        return plot_trace(self._posterior, names)

    def ppc(
        self, kind: Picture | None = None, *, stat: Any = None, by: Any = None, draws: int | None = None, ax: Any = None
    ) -> Any:
        """A predictive check: your data beside data that the model draws for the same rows, on the response scale.

        Parameters
        ----------
        kind : {"density", "rootogram", "bars"}, optional
            Densities of your values and of each drawn data set (real responses); how often each count occurs, on a
            square-root scale, with the drawn frequencies as points with 95 % intervals (counts); or bars of the rate or
            mean in each cell of `by`, with those drawn. Without it, the one for the family: bars for rates.
        stat : str or function, optional
            In place of `kind`: a histogram of one statistic of drawn data, with that of your data as a line and the
            predictive p-value; as in `Fit.ppc`.
        by : str or list of str, optional
            For bars, the columns whose combinations are the bars; the groups and predictors with few levels without it.
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

        prior = sample_prior(self._posterior.spec, PRIOR_DRAWS, seed)
        return plot_prior_posterior(prior, self._posterior, names)


class PriorPlots:
    """Plots of draws from the prior. Each draws into ``ax=``, or into a new figure, and returns the Axes."""

    def __init__(self, prior: Posterior, rates: Callable[..., Answer], effect: Callable[..., Answer]) -> None:
        self._prior, self._rates, self._effect = prior, rates, effect

    def __repr__(self) -> str:
        return "plots: .implied(variable), .rates(variable), .effect(variable), .ppc(kind, stat)"

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

        return plot_implied(implied(self._prior, variable), effects=variable is not None, ax=ax)

    def rates(self, variable: Any = None, *, by: Any = None, ax: Any = None, **options: Any) -> Any:
        """A forest of rates under the prior, as `Fit.plot` has it; options are those of `Fit.rates`.

        Examples
        --------
        >>> fit.model.sample_prior(500, seed=1).plot.rates("treated").get_ylabel()
        'treated'
        """
        from hiermod.show.forest import default_columns, plot_answer

        if variable is None and by is None:
            variable, by = default_columns(self._prior.spec)
        return plot_answer(self._rates(variable, by=by, **options), ax=ax)

    def effect(self, variable: str, *, ax: Any = None, **options: Any) -> Any:
        """A forest of effects under the prior; options are those of `Fit.effect`.

        Examples
        --------
        >>> fit.model.sample_prior(500, seed=1).plot.effect("treated", by="country").get_ylabel()
        'country'
        """
        from hiermod.show.forest import plot_answer

        return plot_answer(self._effect(variable, **options), ax=ax)

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

        return plot_predictive(self._prior, "prior", kind, stat, by, draws, ax)
