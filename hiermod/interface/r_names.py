"""The part of `Fit` that hands used to lme4 and brms look for under R's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hiermod.answers.answer import Answer
from hiermod.answers.parameters import estimates, hypotheses
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

    from hiermod.interface.model import Model


class RNames:
    """What R calls `hypothesis`, `formula`, `nobs`, `ngrps`, `sigma` and `prior_summary`."""

    model: Model
    _posterior: Posterior

    def hypothesis(self, hypothesis: str | Sequence[str], *, prob: float = 0.95) -> Answer:
        """The posterior probability of statements about parameters, on the link scale, as brms gives it.

        Parameters
        ----------
        hypothesis : str or list of str
            Two expressions compared by ``>``, ``<``, ``>=`` or ``<=``, of parameters as `summary` and
            `Model.prior_summary` name them (``treated``, ``period[2]``, ``sd(1|country)``,
            ``cor(Intercept, treated|country)``, ``sigma``) or single effects (``1|country[Canada]``), numbers,
            ``+ - * / ^`` and ``abs exp log sqrt expit logit``. A name in backticks is taken as it is.
        prob : float
            The probability of the interval (equal-tailed; brms prints 90 % for one-sided statements).

        Returns
        -------
        Answer
            A row for each statement: ``estimate, sd, lower, upper`` of its left less its right side, its posterior
            ``probability`` p, and the ``evidence_ratio`` p / (1 - p), infinite where it holds in every draw.

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
        ['hypothesis', 'estimate', 'sd', 'lower', 'upper', 'probability', 'evidence_ratio']
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

    def prior_summary(self) -> pd.DataFrame:
        """Every prior in numbers, as `Model.prior_summary` gives them.

        Examples
        --------
        >>> list(fit.prior_summary()["parameter"])[:2]
        ['Intercept', 'treated']
        """
        return self.model.prior_summary()
