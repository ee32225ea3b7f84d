"""The part of `Fit` that fits anew: other data, another formula, other settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from hiermod.errors import ModelError, PriorError, did_you_mean
from hiermod.formula.changes import changed
from hiermod.formula.parser import parse
from hiermod.interface.notices import announce
from hiermod.modeling.definition import Defined, define, with_priors
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.settings import Settings

if TYPE_CHECKING:
    from hiermod.interface.fit import Fit
    from hiermod.interface.model import Model

OF_SETTINGS = tuple(field.name for field in fields(Settings))
OF_DEFINITION = ("family", "priors", "pooling", "na", "compress")


class Refits:
    """Fits from a fit."""

    model: Model
    _defined: Defined
    _posterior: Posterior

    def update(self, formula: str | None = None, data: Any = None, **changes: Any) -> Fit:
        """Fit again, with everything as it was but for what is named: R's `update`.

        Nothing is compiled anew where the compiled engine takes the model, so that new data of the same structure costs
        the sampling. The seed is kept too, if one was given: name another for a run of its own.

        Parameters
        ----------
        formula : str, optional
            A formula. A dot on its left is the old response, on its right all old terms, as in R: ``". ~ . + x"``,
            ``". ~ . - (1 | g)"``, ``"~ . + (1 | h)"``, ``"log(.) ~ ."``.
        data : data frame or path, optional
            Other rows; the fitted ones without it, read again from the frame as it is now if the formula changed.
        **changes
            Any of the other arguments of `hiermod.fit`: ``family``, ``priors`` (all of them, not one by one),
            ``pooling``, ``na``, ``compress``, ``draws``, ``tune``, ``chains``, ``cores``, ``seed``, ``target_accept``,
            ``engine``, ``progress``. The family stays the one that was taken, unless the response changes.

        Returns
        -------
        Fit

        Raises
        ------
        ModelError
            If a change is unknown, or needs the data of a fit that was stored without it.
        FormulaError, DataError, PriorError, SamplingError
            As in `hiermod.fit`.

        Examples
        --------
        >>> wider = fit.update(priors={"sd": "HalfNormal(2)"}, draws=100, chains=2, progress=False)
        >>> wider
        <hiermod.Fit success ~ treated + (1 + treated | country), family bernoulli, 2 x 100 draws>
        >>> fit.update("~ . - (1 + treated | country)", draws=100, chains=2, progress=False)
        <hiermod.Fit success ~ treated, family bernoulli, 2 x 100 draws>
        """
        progress = changes.pop("progress", True)
        _refuse_unknown(changes)
        settings = replace(self._posterior.asked, **{name: changes[name] for name in OF_SETTINGS if name in changes})
        model = self._model(formula, data, {name: changes[name] for name in OF_DEFINITION if name in changes})
        return model.sampled(settings, progress)

    def _model(self, formula: str | None, data: Any, changes: dict[str, Any]) -> Model:
        """The model to sample: this one if nothing of it changes; its cells are kept if only priors do."""
        if formula is None and data is None and not changes:
            return self.model
        if "priors" in changes:
            changes["priors"] = _checked_priors(changes["priors"])
        old = self._defined
        if formula is None and data is None and set(changes) == {"priors"}:
            return type(self.model)(with_priors(old, changes["priors"]))
        text = old.definition.formula if formula is None else _formula(formula, old)
        kept = old.definition.family
        if kept is None and parse(text).left == old.spec.formula.left:
            kept = str(old.spec.family)
        definition = replace(old.definition, **{"formula": text, "family": kept, **changes})
        rows = old.data if data is None else data
        if rows is None:
            raise ModelError(
                "This change needs the rows of the data, and this fit holds their cells alone, since it was stored. "
                "Give them: fit.update(..., data=frame)."
            )
        defined = define(definition, rows)
        announce(defined.notices)
        return type(self.model)(defined)


def _formula(formula: str, old: Defined) -> str:
    return changed(formula, old.spec.formula) if isinstance(formula, str) else str(parse(formula))


def _checked_priors(priors: Any) -> dict[str, str]:
    if priors is not None and not isinstance(priors, Mapping):
        raise PriorError(f"priors={priors!r}: a dict by parameter is needed, such as {{'sd': 'HalfNormal(1)'}}.")
    return dict(priors or {})


def _refuse_unknown(changes: Mapping[str, Any]) -> None:
    known = ("formula", "data", *OF_DEFINITION, *OF_SETTINGS, "progress")
    for name in changes:
        if name not in known:
            raise ModelError(f"update() cannot change {name!r}.{did_you_mean(name, known)}")
