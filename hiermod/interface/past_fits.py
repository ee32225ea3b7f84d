"""`prior_from`: a prior from what past experiments have found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from hiermod.answers.parameters.past import Past, matched, of_several, past
from hiermod.choices import MATCHES, Match
from hiermod.errors import PriorError, did_you_mean
from hiermod.interface.fit import Fit
from hiermod.priors.distributions import Prior


def prior_from(
    fits: Fit | Sequence[Fit] | Mapping[str, Fit],
    name: str,
    *,
    inflation: float = 2.0,
    distribution: Match = "StudentT",
) -> Prior:
    """A prior for the next experiment, from the posteriors of past ones.

    Of one fit, it is matched to a parameter's posterior; or, for a name such as ``"treated|country"``, to the
    population of the varying effect: the values that a further country may have. Of several fits, it is matched to the
    population of their values, the difference between experiments included. A coefficient is taken where priors stand,
    at the means of numeric predictors; so its prior of other data stands at their means.

    Parameters
    ----------
    fits : Fit, or list or dict of Fit
        Of several, each counts once, by the mean and the variance of its posterior, its own prior with it.
    name : str
        As `Model.prior_summary` names it: ``"treated"``, ``"period[3]"``, ``"sigma"``, ``"sd(1|country)"``; or
        ``"treated|country"``.
    inflation : float
        By what the scale is multiplied, since a new experiment is not the past one; 1 takes the past at its word.
    distribution : {"StudentT", "Normal"}
        A t distribution has the degrees of freedom that suit the draws best, of several fits one less than there are;
        it is given as a Normal where that is as good.

    Returns
    -------
    Prior
        For ``priors={"treated": ...}``, as it is or as text, ``str(prior)``. It holds where it comes from, which
        `Fit.prior_summary` shows.

    Raises
    ------
    PriorError
        If a fit lacks the parameter, or fits measure it on different scales.

    Examples
    --------
    >>> import hiermod as hm
    >>> prior = hm.prior_from(fit, "treated", inflation=1.5)
    >>> prior.name in ("Normal", "StudentT"), prior.origin
    (True, "'treated' of success ~ treated + (1 + treated | country), scale times 1.5")
    >>> model = hm.model("success ~ treated", hm.example("country"), priors={"treated": prior})
    """
    _check_inflation(inflation)
    if distribution not in MATCHES:
        raise PriorError(f"distribution={distribution!r}.{did_you_mean(str(distribution), MATCHES)}")
    pasts = {key: _of_one(key, one, name) for key, one in _named(fits).items()}
    if len(pasts) == 1:
        return matched(next(iter(pasts.values())), distribution, float(inflation))
    return of_several(pasts, name, distribution, float(inflation))


def _check_inflation(inflation: Any) -> None:
    if isinstance(inflation, bool) or not isinstance(inflation, Real) or not 0.0 < float(inflation) < np.inf:
        raise PriorError(f"inflation={inflation!r}: a number above 0 is needed, such as 2.")


def _named(fits: Any) -> dict[str, Fit]:
    """Fits by name, on one scale; a fit alone has none."""
    if isinstance(fits, Fit):
        return {"": fits}
    pairs = fits.items() if isinstance(fits, Mapping) else enumerate(fits, 1) if isinstance(fits, list | tuple) else ()
    named = {str(key): one for key, one in pairs}
    wrong = next((key for key, one in named.items() if not isinstance(one, Fit)), None)
    if wrong is not None or not named:
        what = f"there is none in {fits!r}" if wrong is None else f"{wrong!r} is of type {type(named[wrong]).__name__}"
        raise PriorError(f"prior_from takes a fit, or a list or dict of fits: {what}.")
    links = {key: one._posterior.spec.family.link.name for key, one in named.items()}
    first = next(iter(links))
    other = next((key for key in links if links[key] != links[first]), None)
    if other is not None:
        raise PriorError(f"Fit {first!r} has the link {links[first]}, fit {other!r} {links[other]}: leave one out.")
    return named


def _of_one(key: str, one: Fit, name: str) -> Past:
    try:
        return past(one._posterior, name)
    except PriorError as error:
        raise PriorError(f"Fit {key!r}: {error}" if key else str(error)) from error
