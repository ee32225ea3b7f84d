"""`Parameters`: coefficients, standard deviations and effects of groups, of one fit or of several together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hiermod.answers.answer import Answer
from hiermod.answers.parameters import by_group, estimates, hypotheses, tidy_draws
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

    from hiermod.answers.parameters.by_group import GroupEstimates


class Parameters:
    """Tables, draws and statements of parameters; what has draws of a model inherits them."""

    _posterior: Posterior

    @property
    def _drawn(self) -> Posterior:
        """The draws, which may know groups by their patterns alone."""
        return self._posterior

    def fixef(self, prob: float = 0.95) -> pd.DataFrame:
        """Common coefficients on the link scale: ``estimate, sd, lower, upper``, a row per term.

        Examples
        --------
        >>> list(fit.fixef().columns)
        ['estimate', 'sd', 'lower', 'upper']
        """
        return estimates.fixef(self._drawn, prob)

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

        Of ordered categories, a group's varying intercept lowers each threshold.

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
        return estimates.varcorr(self._drawn, prob)

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
        return hypotheses.hypothesis(self._drawn, hypothesis, prob)

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
        return estimates.sigma(self._drawn)
