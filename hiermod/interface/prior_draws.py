"""`PriorDraws`: draws from a model's prior and the questions that can be asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import xarray as xr

from hiermod.answers.answer import Answer
from hiermod.answers.averaging.query import Arguments
from hiermod.answers.estimands import fitted as fitted_rows
from hiermod.answers.estimands import rates
from hiermod.choices import Groups, Kind, Outcome
from hiermod.errors import AnswerError
from hiermod.interface.plots import PriorPlots
from hiermod.interface.questions import Questions
from hiermod.modeling.definition import Defined
from hiermod.sampling.posterior import Posterior

if TYPE_CHECKING:
    import pandas as pd

    from hiermod.answers.checks.implied import Implied


class Unsampled(Protocol):
    """The model whose prior it is."""

    @property
    def _defined(self) -> Defined: ...
    @property
    def formula(self) -> str: ...  # noqa: D102
    @property
    def family(self) -> str: ...  # noqa: D102


class PriorDraws(Questions):
    """Draws from the prior, of which the same is asked as of a fit. Made by `Model.sample_prior`.

    `rates`, `effect` and the other questions, `predict` and `ppc` are those of `Fit`. Effects of groups are drawn from
    their population, so that ``groups="observed"`` and ``"new"`` agree in distribution. Priors that are stated where
    predictors are at their means are drawn there; coefficients are in your coding.

    Examples
    --------
    >>> fit.model.sample_prior(500, seed=1)
    <hiermod.PriorDraws success ~ treated + (1 + treated | country), family bernoulli, 500 draws>
    """

    def __init__(self, model: Unsampled, posterior: Posterior) -> None:
        self.model, self._posterior = model, posterior

    def __repr__(self) -> str:
        draws = self._posterior.shape[1]
        return f"<hiermod.PriorDraws {self.model.formula}, family {self.model.family}, {draws} draws>"

    @property
    def prior(self) -> xr.Dataset:
        """The draws, dims ``chain, draw``; coefficients in the user's coding, on the link scale.

        Examples
        --------
        >>> fit.model.sample_prior(100, seed=1).prior.sizes["draw"]
        100
        """
        return self._posterior.dataset

    @property
    def idata(self) -> xr.DataTree:
        """The draws in a group ``prior``, as ArviZ takes them.

        Examples
        --------
        >>> "prior" in fit.model.sample_prior(100, seed=1).idata.children
        True
        """
        return xr.DataTree.from_dict({"prior": self.prior})

    @property
    def plot(self) -> PriorPlots:
        """Plots: ``prior.plot.implied()``, ``.rates()``, ``.effect()``, ``.ppc()``.

        Examples
        --------
        >>> fit.model.sample_prior(500, seed=1).plot.implied("treated").get_xlabel()
        'difference in success rate, percentage points'
        """
        return PriorPlots(self)

    def predict(
        self, data: Any = None, kind: Kind = "mean", groups: Groups = "observed", prob: float = 0.95,
        outcome: Outcome | None = None, per: float | None = None, parameter: str | None = None,
    ) -> Answer:  # fmt: skip
        """Predictions for each row of `data` under the prior; arguments are those of `Fit.predict`.

        Examples
        --------
        >>> prior = fit_of_variants.model.sample_prior(draws=200, seed=1)
        >>> len(prior.predict()) == len(fit_of_variants.predict())
        True
        """
        arguments = Arguments(
            data=data, groups=groups, prob=prob, outcome=outcome, parameter=parameter, kind=kind, per=per
        )
        if data is not None:
            return rates.predict(self._posterior, arguments)
        defined = self.model._defined
        return fitted_rows.predict_fitted(self._posterior, arguments, defined.data, defined.definition.complete)

    def ppc(self, stat: Any = None, *, by: Any = None, draws: int | None = None, prob: float = 0.95) -> pd.DataFrame:
        """A prior predictive check; arguments are those of `Fit.ppc`.

        Examples
        --------
        >>> prior = fit_of_variants.model.sample_prior(draws=200, seed=1)
        >>> list(prior.ppc("mean").columns)
        ['stat', 'observed', 'estimate', 'lower', 'upper', 'p']
        """
        from hiermod.answers.checks.predictive_checks import predictive_check

        return predictive_check(self._posterior, stat, by, draws, prob)

    def implied(self, variable: str | None = None) -> Implied:
        """What the priors say on the response scale; its repr says it in words.

        Parameters
        ----------
        variable : str, optional
            The column whose levels are compared; otherwise each 0/1, boolean or categorical predictor.

        Returns
        -------
        Implied
            Its ``table`` has a row for the expected response of a row of the data, drawn at random with its weight, and
            one for each difference of expected responses between a level and the first; ``draws`` holds the draws.

        Raises
        ------
        AnswerError
            If the variable cannot be compared.

        Examples
        --------
        >>> prior = fit.model.sample_prior(1000, seed=1)
        >>> list(prior.implied().table.index)
        ['success rate', 'treated, 1 vs 0']
        """
        from hiermod.answers.checks.implied import implied

        return implied(self._posterior, variable)

    def shrinkage(self, group: str | None = None, prob: float = 0.95) -> NoReturn:
        """Not of a prior, which has seen no data.

        Raises
        ------
        AnswerError
            Always.

        Examples
        --------
        >>> from hiermod.errors import AnswerError
        >>> prior = fit_of_variants.model.sample_prior(draws=200, seed=1)
        >>> try:
        ...     prior.shrinkage()
        ... except AnswerError as error:
        ...     print(str(error)[:46])
        Shrinkage is a matter of data and posterior; t
        """
        raise AnswerError("Shrinkage is a matter of data and posterior; these are draws from the prior. Ask the fit.")
