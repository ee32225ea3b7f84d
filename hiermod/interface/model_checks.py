"""The part of `Fit` that checks the model against its data, and its conclusions against its priors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.interface.notices import announce
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

    from hiermod.answers.checks.outlying import Outlying
    from hiermod.show.sensitivity import Sensitivity


class ModelChecks:
    """Checks of a model."""

    _posterior: Posterior

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
        self,
        variable: str | None = None,
        *,
        by: Any = None,
        control: Any = None,
        groups: str = "observed",
        goal: str = "max",
        threshold: float = 0.95,
        prob: float = 0.95,
    ) -> Sensitivity:
        """Tell whether the conclusion would change under other priors.

        The model is fitted again with the priors of common coefficients half and twice as wide, then with those of the
        standard deviations of groups, and effects and P(beats) are held beside those of this fit. Power-scaling
        (Kallioinen et al. 2024) tells which parameters follow their prior; densities of coefficients are those of the
        predictors' means, where priors are stated, and effects of groups count to the model, not to the prior. Priors
        of correlations and of the family's own parameters keep their width.

        Parameters
        ----------
        variable : str, optional
            Whose effect the conclusion is about, as in `effect`. Otherwise each 0/1, boolean or categorical predictor;
            slopes where there are none (link scale, P(slope > 0) whatever the `goal`); groups of small factors where
            there are no predictors; or the rate.
        by, control, groups, goal, prob
            As in `effect`. Effects are differences on the response scale.
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
        from hiermod.answers.checks.sensitivity import Claim
        from hiermod.show.sensitivity import assess

        claim = Claim(variable, by, control, groups, goal, prob)
        return assess(self._posterior, claim, threshold, lambda text: announce([text]))
