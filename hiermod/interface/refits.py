"""What changes from one fit to the next: other data, another formula, other settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from hiermod.errors import ModelError, PriorError, did_you_mean, enumerate_names
from hiermod.families.glmmtmb import meant_by
from hiermod.formula.parser import changed, joined, one_sided, parse
from hiermod.interface.notices import announce
from hiermod.modeling.definition import Defined, Definition, define, with_priors
from hiermod.modeling.prior_choice import known_keys
from hiermod.modeling.prior_keys import canonical_key
from hiermod.sampling.settings import Settings

SHOWN = 3
OF_SETTINGS = tuple(field.name for field in fields(Settings))
OF_DEFINITION = ("family", "priors", "pooling", "na", "compress", "intercept_at")
OF_GLMMTMB = ("ziformula", "dispformula")


def refuse_unknown(changes: Mapping[str, Any]) -> None:
    """Name the nearest argument of `hiermod.fit` where a change is not one of them."""
    known = ("formula", "data", *OF_DEFINITION, *OF_GLMMTMB, *OF_SETTINGS, "progress")
    for name in changes:
        if name not in known:
            raise ModelError(f"update() cannot change {name!r}.{did_you_mean(name, known)}")


def changed_settings(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings of the next run."""
    return replace(settings, **{name: changes[name] for name in OF_SETTINGS if name in changes})


def changed_model(old: Defined, formula: str | None, data: Any, changes: Mapping[str, Any]) -> Defined:
    """The model of the next run: the old one if nothing of it changes; its cells are kept if only priors do."""
    of_model = {name: changes[name] for name in OF_DEFINITION if name in changes}
    parts = {name: changes[name] for name in OF_GLMMTMB if changes.get(name) is not None}
    if formula is None and data is None and not of_model and not parts:
        return old
    if "priors" in of_model:
        of_model["priors"] = merged_priors(old.definition.priors, of_model["priors"])
    if formula is None and data is None and not parts and set(of_model) == {"priors"}:
        defined = with_priors(old, of_model["priors"])
        announce(notice for notice in defined.notices if notice not in old.notices)
        return defined
    text = old.definition.formula if formula is None else _formula(formula, old)
    text = _with_parts(text, parts, old)
    family = old.definition.family
    if family is None and parse(text).left == old.spec.formula.left:
        family = str(old.spec.family)
    definition = replace(old.definition, **{"formula": text, "family": family, **of_model})
    rows = old.data if data is None else data
    if rows is None:
        raise ModelError(
            "This change needs the rows of the data, and this fit holds their cells alone, since it was stored or came "
            "from another process. Give them: fit.update(..., data=frame)."
        )
    defined = _without_stale_priors(definition, rows, frozenset(map(str, changes.get("priors") or ())))
    announce(defined.notices)
    return defined


def _without_stale_priors(definition: Definition, rows: Any, given: frozenset[str]) -> Defined:
    """The model without the priors of before that speak of nothing in it; those `given` now are refused then."""
    inherited = {key: text for key, text in definition.priors.items() if key not in given}
    if not inherited or definition.pooling != "normal":
        return define(definition, rows)
    own = {key: text for key, text in definition.priors.items() if key in given}
    defined = define(replace(definition, priors=own), rows)
    spec = defined.spec
    known = known_keys(spec.family, spec.predictors, spec.groups)
    stale = [key for key in inherited if canonical_key(key)[0] not in known]
    defined = with_priors(defined, {key: text for key, text in definition.priors.items() if key not in stale})
    if not stale:
        return defined
    said = f"priors of {enumerate_names(stale, SHOWN)} are dropped: the model has no such parameters any more"
    return replace(defined, notices=(*defined.notices, said))


def _formula(formula: str, old: Defined) -> str:
    text = joined(formula)
    family = old.spec.family
    names = (*family.auxiliary, *(own.parameter.name for own in family.additions))
    return changed(text, old.spec.formula, names) if isinstance(text, str) else str(parse(text))


def _with_parts(text: str, parts: Mapping[str, str], old: Defined) -> str:
    """The formula with glmmTMB's arguments, in place of what it said of their parameters."""
    family = old.spec.family
    for name, part in parts.items():
        written = one_sided(name, part)
        formula = parse(text)
        said = [own.parameter for own in formula.further if own.parameter in meant_by(name, family)]
        kept = replace(formula, further=tuple(own for own in formula.further if own.parameter not in said))
        text = f"{kept}; {written}"
    return text


def checked_priors(priors: Any) -> dict[str, str]:
    """Priors by parameter; None is no prior of the user's."""
    if priors is not None and not isinstance(priors, Mapping):
        raise PriorError(f"priors={priors!r}: a dict by parameter is needed, such as {{'sd': 'HalfNormal(1)'}}.")
    return dict(priors or {})


def merged_priors(old: Mapping[str, str], given: Any) -> dict[str, str]:
    """The old priors with those given in place of theirs; None takes back one, or all of them."""
    if given is None:
        return {}
    changes = checked_priors(given)
    replaced = {canonical_key(str(key))[0] for key in changes}
    kept = {key: text for key, text in old.items() if canonical_key(key)[0] not in replaced}
    return kept | {key: text for key, text in changes.items() if text is not None}
