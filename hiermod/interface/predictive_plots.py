"""The plots of predictive checks, which fits and draws from a prior share."""

from __future__ import annotations

from typing import Any

from hiermod.sampling.posterior import Posterior


class PredictivePlots:
    """Data beside data that the model draws."""

    _posterior: Posterior
    _source = "posterior"

    def ppc(
        self, kind: str | None = None, *, stat: Any = None, by: Any = None, draws: int | None = None, ax: Any = None
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

        return plot_predictive(self._posterior, self._source, kind, stat, by, draws, ax)
