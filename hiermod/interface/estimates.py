"""The part of `Fit` that reports estimates and the state of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hiermod.answers.parameters import estimates
from hiermod.sampling.checks import CheckReport, check
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

    from hiermod.show.summary import Summary


class Estimates:
    """Estimates in the words of lme4 and brms."""

    _posterior: Posterior

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

    def ranef(self) -> dict[str, pd.DataFrame]:
        """Posterior means of the varying effects on the link scale, by group (index: levels; columns: terms).

        Examples
        --------
        >>> fit.ranef()["country"].shape
        (2, 2)
        """
        return estimates.ranef(self._posterior)

    def coef(self) -> dict[str, pd.DataFrame]:
        """Common plus varying effects on the link scale, by group.

        Examples
        --------
        >>> list(fit.coef()["country"].columns)
        ['Intercept', 'treated']
        """
        return estimates.coef(self._posterior)

    def varcorr(self, prob: float = 0.95) -> pd.DataFrame:
        """Variance components: ``grp, var1, var2, vcov, sdcor, lower, upper``, as lme4's ``as.data.frame(VarCorr(m))``.

        Examples
        --------
        >>> list(fit.varcorr()["var1"])
        ['Intercept', 'treated', 'Intercept']
        """
        return estimates.varcorr(self._posterior, prob)
