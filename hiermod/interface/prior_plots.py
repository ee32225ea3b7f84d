"""`prior.plot`: the plots of draws from the prior, as matplotlib Axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.interface.predictive_plots import PredictivePlots
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    from hiermod.interface.prior_draws import PriorDraws


class PriorPlots(PredictivePlots):
    """Plots of draws from the prior. Each draws into ``ax=``, or into a new figure, and returns the Axes."""

    _source = "prior"

    def __init__(self, prior: PriorDraws, posterior: Posterior) -> None:
        self._prior, self._posterior = prior, posterior

    def __repr__(self) -> str:
        return "plots: .implied(variable), .rates(by), .effect(variable), .ppc(kind, stat)"

    def implied(self, variable: str | None = None, *, ax: Any = None) -> Any:
        """What the priors say about the response: the density of a row's expected response, with its quantiles.

        With `variable`, the density of the difference between its levels, on the response scale.

        Examples
        --------
        >>> fit.model.sample_prior(500, seed=1).plot.implied().get_xlabel()
        'success rate'
        """
        from hiermod.show.plots import plot_implied

        return plot_implied(self._prior.implied(variable), effects=variable is not None, ax=ax)

    def rates(self, by: Any = None, *, ax: Any = None, **options: Any) -> Any:
        """A forest of rates under the prior, as `Fit.plot` has it; options are those of `Fit.rates`.

        Examples
        --------
        >>> fit.model.sample_prior(500, seed=1).plot.rates(by="treated").get_ylabel()
        'treated'
        """
        from hiermod.show.plots import default_by, plot_answer

        by = default_by(self._posterior.spec) if by is None else by
        return plot_answer(self._prior.rates(by, **options), ax=ax)

    def effect(self, variable: str, *, ax: Any = None, **options: Any) -> Any:
        """A forest of effects under the prior; options are those of `Fit.effect`.

        Examples
        --------
        >>> fit.model.sample_prior(500, seed=1).plot.effect("treated", by="country").get_ylabel()
        'country'
        """
        from hiermod.show.plots import plot_answer

        return plot_answer(self._prior.effect(variable, **options), ax=ax)
