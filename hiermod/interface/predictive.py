"""The part of `Fit`, and of draws from a prior, that holds the data beside data that the model draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd


class Predictive:
    """Predictive checks."""

    _posterior: Posterior

    def ppc(self, stat: Any = None, *, by: Any = None, draws: int | None = None, prob: float = 0.95) -> pd.DataFrame:
        """Statistics of the data beside those of data that the model draws for the same rows.

        Of a fit this is a posterior predictive check, of `Model.sample_prior` a prior predictive one. The picture of it
        is ``plot.ppc(stat=...)``.

        Parameters
        ----------
        stat : str, function or list of these, optional
            ``"mean", "sd", "min", "median", "max", "zeros"`` (sd divides by the number of rows, zeros is their share),
            or a function of the array of the responses of all rows. Of successes in several trials, responses are the
            shares of successes. Without it, those that suit the family.
        by : str or list of str, optional
            Columns of the model; the statistics are then those of the rows of each combination.
        draws : int, optional
            How many data sets are drawn; otherwise up to 200.
        prob : float
            The probability of the interval.

        Returns
        -------
        pandas.DataFrame
            The `by` columns, ``stat, observed``, and of the drawn data ``estimate`` (mean), ``lower, upper`` and ``p``:
            the chance that the statistic of drawn data is above that of yours, ties counted half. Near 0 or 1, the
            model does not draw such data. On the scale of the response.

        Raises
        ------
        AnswerError
            If there is no such statistic or column, or the rows are not known here or too many.

        Examples
        --------
        >>> list(fit.ppc("mean", by="country").columns)
        ['country', 'stat', 'observed', 'estimate', 'lower', 'upper', 'p']
        """
        from hiermod.answers.checks.predictive_checks import predictive_check

        return predictive_check(self._posterior, stat, by, draws, prob)
