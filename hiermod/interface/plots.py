"""`fit.plot`: the plots of a fit, as matplotlib Axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.interface.check_plots import CheckPlots
from hiermod.interface.predictive_plots import PredictivePlots
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    from hiermod.interface.fit import Fit


class FitPlots(PredictivePlots, CheckPlots):
    """Plots of a fit. Each draws into ``ax=``, or into a new figure, and returns the matplotlib Axes."""

    def __init__(self, fit: Fit, posterior: Posterior) -> None:
        self._fit, self._posterior = fit, posterior

    def __repr__(self) -> str:
        return (
            "plots: .rates(by), .effect(variable), .shrinkage(group), .trace(names), .ppc(kind, stat), .loo_pit(), "
            ".calibration(), .outlying(group), .prior_posterior(names)"
        )

    def rates(self, by: Any = None, *, ax: Any = None, **options: Any) -> Any:
        """A forest of rates per cell of `by`: the mean with a 50 % interval (thick) and a ``prob`` one (thin).

        With two or more columns in `by`, colours are the levels of the last. Without `by`, the groups and predictors of
        the model with few levels are taken. Further options are those of `Fit.rates`.

        Examples
        --------
        >>> fit.plot.rates(by=["country", "treated"]).get_ylabel()
        'country'
        """
        from hiermod.show.plots import default_by, plot_answer

        spec = self._posterior.spec
        answer = self._fit.rates(default_by(spec) if by is None else by, **options)
        return plot_answer(answer, ax=ax)

    def effect(self, variable: str, *, ax: Any = None, **options: Any) -> Any:
        """A forest of effects with a dashed line at no effect and P(beats the control) at the right of each row.

        Options are those of `Fit.effect`.

        Examples
        --------
        >>> fit.plot.effect("treated", by="country").get_ylabel()
        'country'
        """
        from hiermod.show.plots import plot_answer

        return plot_answer(self._fit.effect(variable, **options), ax=ax)

    def shrinkage(self, group: str | None = None, *, prob: float = 0.95, ax: Any = None) -> Any:
        """Raw (hollow) and pooled (filled) rate of each level, the grand rate as a dashed line, sizes showing n.

        More than 40 levels are sorted by their pooled rate.

        Examples
        --------
        >>> fit_of_variants.plot.shrinkage().get_ylabel()
        'variant'
        """
        from hiermod.show.plots import plot_shrinkage

        return plot_shrinkage(self._posterior, self._fit.shrinkage(group, prob), ax=ax, prob=prob)

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
        from hiermod.show.plots import plot_trace

        return plot_trace(self._posterior, names)
