"""`pool`: fits of one model to imputed data sets, asked as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hiermod.answers.answer import Answer
from hiermod.answers.mixed import mixed_answers
from hiermod.answers.parameters.imputation import missing_information
from hiermod.choices import Groups, Kind, Outcome
from hiermod.data.columns.values import Level
from hiermod.errors import ModelError, enumerate_names
from hiermod.families.probes import fingerprint
from hiermod.interface.fit import Fit
from hiermod.interface.parameters import Parameters
from hiermod.interface.questions import Questions
from hiermod.modeling.protocol import Variable
from hiermod.sampling.checks import CheckReport, check_each
from hiermod.sampling.mixture import mixture

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from hiermod.show.summary import Summary


def pool(fits: Sequence[Fit]) -> ImputedFit:
    """Put fits of one model to several imputed data sets together: the mixture of their posteriors.

    Each fit gives as many draws as the others. Averages over rows are those of each fit's own data, so that a question
    may name imputed columns.

    Parameters
    ----------
    fits : list of Fit
        Two or more, of the same formula, family, priors, rows and levels. Default priors may follow the data of each.

    Returns
    -------
    ImputedFit

    Raises
    ------
    ModelError
        If there are fewer than two fits, or they differ; the message says in what.

    Notes
    -----
    The mixture's variance is W + (1 - 1/m) B, with W the mean variance of m posteriors and B the variance of their
    means; Rubin's rules have W + (1 + 1/m) B, which `ImputedFit.missing_information` gives. With few data sets, and
    much that is missing, intervals of the mixture are a little too narrow (Zhou and Reiter 2010): impute more often.

    Stored fits are pooled as others are: ``hm.pool([hm.load(path) for path in paths])``.

    Examples
    --------
    >>> import hiermod as hm
    >>> again = fit.update(seed=2, progress=False)  # of another imputation, as it were
    >>> hm.pool([fit, again])
    <hiermod.ImputedFit of 2 fits, success ~ treated + (1 + treated | country), family bernoulli, 8 x 1000 draws>
    """
    if isinstance(fits, Fit) or not isinstance(fits, Sequence) or not all(isinstance(fit, Fit) for fit in fits):
        raise ModelError("pool() takes a list of fits to imputed data sets: hm.pool([hm.fit(...), hm.fit(...)]).")
    if len(fits) < 2:
        raise ModelError(f"pool() takes two fits or more; here is {len(fits)}.")
    for place, fit in enumerate(fits[1:], start=2):
        if difference := _difference(fits[0], fit, place):
            raise ModelError(f"{difference} Only fits of one model to imputed data sets can be pooled.")
    return ImputedFit(tuple(fits))


def _difference(first: Fit, other: Fit, place: int) -> str:
    """In what a fit is not of the same model as the first; empty if it is."""
    one, two = first.model._defined, other.model._defined
    facts = [
        ("formula", str(one.spec.formula), str(two.spec.formula)),
        ("family", fingerprint(one.spec.family), fingerprint(two.spec.family)),
        ("pooling", one.definition.pooling, two.definition.pooling),
        ("priors", _texts(one.definition.priors), _texts(two.definition.priors)),
        ("intercept_at", one.definition.intercept_at, two.definition.intercept_at),
        ("number of rows", f"{first.nobs():,}", f"{other.nobs():,}"),
    ]
    for what, mine, its in facts:
        if mine != its:
            shown = (str(one.spec.family), str(two.spec.family)) if what == "family" else (mine, its)
            return f"Fit 1 and fit {place} differ in the {what}: {shown[0]}, and {shown[1]}."
    for name, predictor in one.spec.cells.predictors.items():
        levels = (getattr(predictor, "levels", ()), getattr(two.spec.cells.predictors[name], "levels", ()))
        if levels[0] != levels[1]:
            return f"Fit 1 and fit {place} differ in the levels of {name!r}: {_alone(*levels)}."
    for own, own_too in zip(one.spec.variables(), two.spec.variables(), strict=False):
        if (own.name, own.labels) != (own_too.name, own_too.labels):
            return (
                f"Fit 1 and fit {place} differ in the levels of {own.name!r}: {_alone(_labels(own), _labels(own_too))}."
            )
    return ""


def _texts(priors: Any) -> str:
    return ", ".join(f"{key} {prior}" for key, prior in sorted(priors.items())) or "the default ones"


def _labels(variable: Variable) -> tuple[str, ...]:
    return tuple(label for labels in variable.labels for label in labels)


def _alone(one: Sequence[Level], other: Sequence[Level]) -> str:
    """The levels that one of two has alone."""
    only = [level for level in (*one, *other) if (level in one) != (level in other)]
    return f"{enumerate_names(only, 4)} in one of them alone" if only else "they have another order"


class ImputedFit(Questions, Parameters):
    """The mixture of the posteriors of fits to imputed data sets, asked as a `Fit` is. Made by `hiermod.pool`.

    What is about the data and not about parameters, such as `Fit.loo` or `Fit.ppc`, is asked of the single ``fits``.

    Attributes
    ----------
    fits : tuple of Fit
        Those that were pooled.

    Examples
    --------
    >>> import hiermod as hm
    >>> hm.pool([fit, fit]).effect("treated", by="country").table["country"].tolist()
    ['Canada', 'China']
    """

    def __init__(self, fits: tuple[Fit, ...]) -> None:
        self.fits = fits
        self._posterior = mixture([fit.sampled_posterior for fit in fits])

    def __repr__(self) -> str:
        chains, draws = self._posterior.shape
        model = self.fits[0].model
        return (
            f"<hiermod.ImputedFit of {len(self.fits)} fits, {model.formula}, family {model.family}, "
            f"{chains} x {draws} draws>"
        )

    @property
    def posterior(self) -> xr.Dataset:
        """The draws, dims ``chain, draw``: the chains of each fit in turn.

        Examples
        --------
        >>> import hiermod as hm
        >>> pooled = hm.pool([fit, fit.update(seed=2, progress=False)])
        >>> pooled.posterior.sizes["chain"]
        8
        """
        return self._posterior.dataset

    @property
    def formula(self) -> str:
        """The formula, spelled out.

        Examples
        --------
        >>> import hiermod as hm
        >>> pooled = hm.pool([fit, fit.update(seed=2, progress=False)])
        >>> pooled.formula
        'success ~ treated + (1 + treated | country)'
        """
        return self.fits[0].formula

    def summary(self, prob: float = 0.95) -> Summary:
        """What `Fit.summary` prints, of the mixture: R-hat is the largest within a fit, ESS the sum.

        Examples
        --------
        >>> import hiermod as hm
        >>> pooled = hm.pool([fit, fit.update(seed=2, progress=False)])
        >>> list(pooled.summary().fixed.index)
        ['Intercept', 'treated']
        """
        from hiermod.show.summary import summarize

        return summarize(self._posterior, self.check(), prob)

    def check(self) -> CheckReport:
        """The checks of `Fit.check`, of each fit by itself: chains of different data sets need not agree.

        Examples
        --------
        >>> import hiermod as hm
        >>> pooled = hm.pool([fit, fit.update(seed=2, progress=False)])
        >>> pooled.check().converged
        True
        """
        return check_each([fit.sampled_posterior for fit in self.fits])

    def missing_information(self) -> pd.DataFrame:
        """How much of what is unknown of each parameter imputation adds, by Rubin's rules.

        Returns
        -------
        pandas.DataFrame
            A row per parameter: ``estimate``, the mean of the m fits' posterior means; ``sd``, the root of
            W + (1 + 1/m) B; ``within`` and ``between``, the roots of W, the mean posterior variance, and of B, the
            variance of the means; ``fraction``, the share of (1 + 1/m) B; and Rubin's degrees of freedom, ``df``.

        Examples
        --------
        >>> import hiermod as hm
        >>> pooled = hm.pool([fit, fit.update(seed=2, progress=False)])
        >>> list(pooled.missing_information().columns)
        ['estimate', 'sd', 'within', 'between', 'fraction', 'df']
        """
        return missing_information(self._posterior)

    def predict(
        self, data: Any = None, kind: Kind = "mean", groups: Groups = "observed", prob: float = 0.95,
        outcome: Outcome | None = None, per: float | None = None, parameter: str | None = None,
    ) -> Answer:  # fmt: skip
        """Predictions for each row of `data`, or of the data that was fitted; arguments are those of `Fit.predict`.

        Of the fitted rows each fit predicts its own. Columns in which they differ are not shown.

        Examples
        --------
        >>> import hiermod as hm
        >>> import pandas as pd
        >>> new = pd.DataFrame({"treated": [0, 1], "country": "China"})
        >>> len(hm.pool([fit, fit]).predict(new))
        2
        """
        fits = [Fit(fit.model, part) for fit, part in zip(self.fits, self._posterior.parts, strict=True)]
        return mixed_answers([fit.predict(data, kind, groups, prob, outcome, per, parameter) for fit in fits])
