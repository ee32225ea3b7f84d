"""The plots of `fit.plot` that check a model and its priors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    from hiermod.interface.fit import Fit


class CheckPlots:
    """Pictures of checks."""

    _fit: Fit
    _posterior: Posterior

    def loo_pit(self, *, bins: int = 10, ax: Any = None) -> Any:
        """A histogram of `Fit.loo_pit`, with a band that holds 95 % of each bar's height if the model is right.

        Discrete responses are spread evenly over their interval. Of 0/1 responses it says little: see `calibration`.

        Examples
        --------
        >>> fit.plot.loo_pit().get_ylabel()
        'share of rows'
        """
        from hiermod.show.check_plots import plot_loo_pit

        return plot_loo_pit(self._fit.loo_pit(), bins, ax)

    def calibration(self, *, draws: int | None = None, prob: float = 0.95, ax: Any = None) -> Any:
        """Observed against predicted rates, as `Fit.calibration` has them, with the interval to be expected.

        Examples
        --------
        >>> fit.plot.calibration().get_xlabel()
        'predicted success rate'
        """
        from hiermod.show.check_plots import plot_calibration

        return plot_calibration(self._posterior.spec, self._fit.calibration(draws, prob), prob, ax)

    def outlying(self, group: str | None = None, *, prob: float = 0.95, ax: Any = None) -> Any:
        """Each group's effects in standard deviations of their population, outlying groups named in the title.

        Dashed lines stand at the limit of `Fit.outlying`. Groups are sorted by their first effect.

        Examples
        --------
        >>> fit.plot.outlying().get_ylabel()
        'country'
        """
        from hiermod.show.check_plots import plot_outlying

        return plot_outlying(self._fit.outlying(group, prob), prob, ax)

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
        from hiermod.sampling.prior_draws import sample_prior
        from hiermod.show.prior_plots import PRIOR_DRAWS, plot_prior_posterior

        prior = sample_prior(self._posterior.spec, PRIOR_DRAWS, seed)
        return plot_prior_posterior(prior, self._posterior, names)
