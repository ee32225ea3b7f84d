"""`Predictions`: what a fit expects of groups and of single rows, and what rows are off by."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.estimands import fitted as fitted_rows
from hiermod.answers.estimands import rates, shrinkage
from hiermod.answers.outcome import outcome_notices
from hiermod.choices import Groups, Kind, Outcome, Residual
from hiermod.interface.arguments import documented
from hiermod.interface.notices import announce
from hiermod.modeling.definition import Defined
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd


@documented
class Predictions:
    """Shrunk rates by group; predictions, fitted values and residuals row by row."""

    _posterior: Posterior
    _known: Defined
    _answered: Callable[..., Any]

    def shrinkage(self, group: str | None = None, prob: float = 0.95) -> pd.DataFrame:
        """Raw rate, pooled rate and how far it was pulled, per level of a grouping factor, on the response scale.

        ``pull`` is (raw - estimate) / (raw - estimate without the group's effect); NaN where the denominator is within
        its Monte Carlo error. ``n`` counts rows or trials; of rates by exposure it is the exposure.

        Examples
        --------
        >>> list(fit_of_variants.shrinkage().columns)
        ['n', 'raw', 'estimate', 'lower', 'upper', 'pull']
        """
        announce(outcome_notices(self._posterior.spec, None, "observed"))
        return shrinkage.shrinkage(self._posterior, group, prob)

    def predict(
        self, data: Any = None, kind: Kind = "mean", groups: Groups = "observed", prob: float = 0.95,
        outcome: Outcome | None = None, per: float | None = None, parameter: str | None = None,
    ) -> Answer:  # fmt: skip
        """Predictions for each row of `data`, or of the data that was fitted.

        Parameters
        ----------
        data : data frame or path, optional
            Rows with the model's predictors, and the grouping columns where ``groups="observed"``. Without it, the rows
            that were fitted, under their own index; those that the fit left out are missing.
        kind : {"mean", "link", "response"}
            Expected response, linear predictor, or new responses: successes, counts or values; of ordered categories
            scores, of others, or with `outcome`, whether a new response is one.
        groups, prob, outcome, parameter
            As in every question.
        per : float, optional
            Means of so many units of exposure, or of trials; without it, of each row's own exposure.

        Returns
        -------
        Answer
            Its table has a row for each of `data`, in order, with its place ``row_number`` and its columns; without
            `outcome`, one for each category of each row where the response has categories.

        Raises
        ------
        AnswerError
            If rows cannot be predicted, or the fitted ones are not known any more (of a stored fit).

        Examples
        --------
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"country": ["Canada"], "treated": [1]})
        >>> len(fit.predict(rows).table), len(fit.predict().table)
        (1, 400)
        """
        arguments = Arguments(
            data=data, groups=groups, prob=prob, outcome=outcome, parameter=parameter, kind=kind, per=per
        )
        if data is not None:
            return self._answered(rates.predict, arguments)
        complete = self._known.definition.complete
        return fitted_rows.predict_fitted(self._posterior, arguments, self._known.data, complete)

    def predict_cells(
        self, kind: Kind = "mean", groups: Groups = "observed", prob: float = 0.95, outcome: Outcome | None = None,
        per: float | None = None, parameter: str | None = None,
    ) -> Answer:  # fmt: skip
        """Predictions for each cell, a set of rows that the model sees as equal, once: the rows of `cells`.

        Parameters and returns are those of `predict`. Rows of the data are not needed, so that a stored fit and one of
        a large table can be asked too.

        Examples
        --------
        >>> len(fit.predict_cells().table) == len(fit.cells)
        True
        """
        arguments = Arguments(groups=groups, prob=prob, outcome=outcome, parameter=parameter, kind=kind, per=per)
        return rates.predict(self._posterior, arguments)

    def fitted(
        self, *, data: Any = None, groups: Groups = "observed", outcome: Outcome | None = None,
        parameter: str | None = None,
    ) -> pd.Series[float]:  # fmt: skip
        """The expected response of each row that was fitted, under the data's own index, as R's `fitted`.

        They are the estimates of `predict`, without its draws: posterior means (medians where there are none), of
        counts at a row's own exposure, of trials the rate. Rows that the fit left out are missing.

        Parameters
        ----------
        data : data frame or path, optional
            The rows that were fitted, where the fit does not hold them any more (one that was stored).
        groups, outcome, parameter
            As in every question.

        Returns
        -------
        pandas.Series

        Raises
        ------
        AnswerError
            If the rows are not known, or not those that were fitted.

        Examples
        --------
        >>> fitted = fit.fitted()
        >>> len(fitted), fitted.name
        (400, 'fitted')
        """
        return fitted_rows.fitted(self._posterior, self._own_rows("fitted", data), groups, outcome, parameter)

    def residuals(
        self, type: Residual = "response", *, data: Any = None, groups: Groups = "observed"
    ) -> pd.Series[float]:
        """What the response of each row that was fitted is off by, under the data's own index, as R's `residuals`.

        Parameters
        ----------
        type : {"response", "pearson", "quantile"}
            ``response`` less the fitted value, of trials of the share of successes; ``pearson``, that in posterior
            predictive standard deviations, (y - E mu) / sqrt(E V + Var mu); or ``quantile``, randomized quantile
            residuals of Dunn and Smyth (1996): normal quantiles of the predictive chance of less, which the chance of
            the response itself is added to as a share that is drawn (always the same of a fit). They are standard
            normal if the model is right, whatever its family; those of 0/1 responses are mostly drawn.
        data : data frame or path, optional
            The rows that were fitted, where the fit does not hold them any more (one that was stored).
        groups
            As in every question.

        Returns
        -------
        pandas.Series
            Missing where the fit left a row out. A row that counts several times has the residual of each of them.

        Raises
        ------
        AnswerError
            If the rows are not known, or not those that were fitted; if the family has no such residuals.

        Examples
        --------
        >>> residuals = fit.residuals("quantile")
        >>> len(residuals), bool(abs(residuals.mean()) < 0.2)
        (400, True)
        """
        return fitted_rows.residuals(self._posterior, self._own_rows("residuals", data), type, groups)

    def _own_rows(self, asking: str, data: Any) -> fitted_rows.OwnRows:
        rows = self._known.data if data is None else data
        complete = self._known.definition.complete
        return fitted_rows.own_rows(self._posterior, rows, complete, f"fit.{asking}(data=...)")
