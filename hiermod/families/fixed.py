"""Parameters of a family that are fixed to a number: ``student(nu=4)``, ``asym_laplace(quantile=0.9)``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from hiermod.errors import DataError, did_you_mean
from hiermod.families.functionals import Functional
from hiermod.families.ops import Ops
from hiermod.families.record import Family
from hiermod.priors.distributions import Prior

OTHER_NAMES = {"theta": "alpha", "shape": "alpha", "phi": "kappa", "sigma": "shape"}  # R's, where a family lacks them
BEFORE = {  # how many arguments stand before the parameters
    "variance": 1, "correlation": 0, "draw": 4, "cdf": 2, "limited_mean": 2, "mean_link": 1, "median_link": 1,
    "quantile": 2,
}  # fmt: skip
OF_OPS = {"log_density": 3, "log_tails": 3}


def _filled(function: Any, at: int, value: float, *arguments: Any) -> Any:
    return function(*arguments[:at], value, *arguments[at:])


def _filled_in_ops(function: Any, at: int, value: float, ops: Ops, *arguments: Any) -> Any:
    return function(ops, *arguments[: at - 1], ops.const(value), *arguments[at - 1 :])


def _exists(function: Any, name: str, value: float, outcome: str, priors: Mapping[str, Any], averaged: bool) -> bool:
    """A number that is known has a prior with an end."""
    return bool(function(outcome, {**priors, name: (Prior("Uniform", (value - 1e-6, value + 1e-6)),)}, averaged))


def _outcome(own: Functional, name: str, place: int, value: float) -> Functional:
    """An outcome of the parameters that are left."""

    def filled(function: Any, before: int) -> Any:
        return None if function is None else partial(_filled, function, before + place, value)

    return replace(
        own, value=filled(own.value, 1), link=filled(own.link, 1), log_value=filled(own.log_value, 1),
        at_most=filled(own.at_most, 2), uses=own.uses and tuple(used for used in own.uses if used != name),
    )  # fmt: skip


def with_fixed(family: Family, name: str, value: float) -> Family:
    """The family with a parameter that is a number; PyMC samples it.

    Raises
    ------
    DataError
        If there is no such parameter, it cannot have this value, or it is the share of zeros.
    """
    name = name if name in family.auxiliary else OTHER_NAMES.get(name, name)
    if name not in family.auxiliary or family.thresholds is not None:
        raise DataError(f"The family {family} has no parameter {name!r}.{did_you_mean(name, family.auxiliary)}")
    if family.zeros and name == family.auxiliary[-1]:
        raise DataError(
            f"{name} of the family {family} is estimated, and not fixed. A narrow prior holds it near a number: "
            f"priors={{{name!r}: 'Beta(50, 50)'}}."
        )
    return _with(family, name, value)


@lru_cache(maxsize=256)  # so that a family is the same wherever it is read
def _with(family: Family, name: str, value: float) -> Family:
    place, support = family.auxiliary.index(name), family.parameter(name).support
    if not {"positive": value > 0.0, "unit": 0.0 < value < 1.0, "real": True}[support]:
        words = {"positive": "above 0", "unit": "between 0 and 1"}[support]
        raise DataError(f"{name}={value:g} of the family {family.name}: a number {words} is needed.")
    filled: dict[str, Any] = {
        field: partial(_filled, getattr(family, field), before + place, value)
        for field, before in BEFORE.items() if getattr(family, field) is not None
    } | {
        field: partial(_filled_in_ops, getattr(family, field), before + place, value)
        for field, before in OF_OPS.items() if getattr(family, field) is not None
    }  # fmt: skip
    return replace(
        family, parameters=tuple(own for own in family.parameters if own.name != name), kernel=None, bambi=None,
        fixed=(*family.fixed, (name, value)), statistic="values" if family.statistic == "real" else family.statistic,
        outcomes=tuple(_outcome(own, name, place, value) for own in family.outcomes if own.of != name),
        has_posterior_mean=partial(_exists, family.has_posterior_mean, name, value),
        explosive=tuple(own for own in family.explosive if own != name),
        information_power=family.information_power if place else 0.0, rated=family.rated if place else "", **filled,
    )  # fmt: skip
