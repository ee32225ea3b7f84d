"""glmmTMB's ``ziformula`` and ``dispformula``: the families and parameters of hiermod that they are of."""

from __future__ import annotations

from collections.abc import Mapping

from hiermod.errors import ModelError
from hiermod.families.record import Family, Parameter
from hiermod.families.registry import known, spelled_name

ARGUMENTS = ZEROS, DISPERSION = "ziformula", "dispformula"
WITH_SPREAD: Mapping[str, tuple[str, ...]] = {  # families whose spread the mean fixes: those in which it is free
    "poisson": ("negbinomial", "nbinom1"), "geometric": ("negbinomial",), "binomial": ("beta_binomial",),
    "exponential": ("gamma", "weibull"), "zero_inflated_poisson": ("zero_inflated_negbinomial",),
    "zero_inflated_binomial": ("zero_inflated_beta_binomial",), "hurdle_poisson": ("hurdle_negbinomial",),
}  # fmt: skip
NEAR_ZEROS: Mapping[str, str] = {  # families without a counterpart that has zeros of their own: what is nearest
    "geometric": "zero_inflated_negbinomial",
    "gaussian": "hurdle_lognormal", "student": "hurdle_lognormal",
    "weibull": "hurdle_gamma", "exponential": "hurdle_gamma", "shifted_lognormal": "hurdle_lognormal",
    "exgaussian": "hurdle_lognormal",
}  # fmt: skip
ELSEWHERE: Mapping[str, str] = {  # where glmmTMB's dispersion is another number, so that coefficients differ
    "gaussian": "glmmTMB's is, up to version 1.1.8, of the variance, whose coefficients are twice these",
    "lognormal": "glmmTMB's is of the standard deviation of the response itself, another model",
    "hurdle_lognormal": "glmmTMB's is of the standard deviation of the response itself, another model",
    "genpois": "glmmTMB's phi is (1 + phi)², the variance over the mean",
}
NARROWING = ("shape", "precision")  # scales of parameters that leave less spread where they are larger
HURDLES = {
    "truncated_poisson": "hurdle_poisson", "truncated_nbinom2": "hurdle_negbinomial",
    "truncated_negbinomial": "hurdle_negbinomial", "truncated_nbinom1": "hurdle_nbinom1",
    "truncated_genpois": "hurdle_genpois", "zigamma": "hurdle_gamma",
}  # fmt: skip


def hurdle_of(family: str) -> str:
    """The hurdle that glmmTMB's truncated families, and ``ziGamma``, are where ``ziformula`` gives zeros their part."""
    return HURDLES.get(spelled_name(family), family)


def with_zeros(family: Family) -> Family:
    """The family with a part of its own for zeros, whose share ``ziformula`` is of.

    Raises
    ------
    ModelError
        If there is none, with what is nearest.
    """
    if family.zeros:
        return family
    name = f"hurdle_{family.name}" if family.kind == "positive" else f"zero_inflated_{family.name}"
    record = known().get(name)
    if record is None:
        raise ModelError(
            f"{ZEROS} is of a share of zeros, and the family {family.name} has no counterpart with one."
            f"{_nearest_with_zeros(family)}"
        )
    if family.link.name not in record.links:
        raise ModelError(
            f"{ZEROS} makes {family} the family {name}, which has no link {family.link.name!r}. Take the link away: "
            f"family={family.name!r}."
        )
    return record.linked(family.link.name)


def _nearest_with_zeros(family: Family) -> str:
    if family.name == "bernoulli":
        return " Among single 0/1 responses, further zeros cannot be told from a lower rate. Leave it out."
    if (near := NEAR_ZEROS.get(family.name)) is None:
        return " Leave it out."
    return f" Say family={near!r}, or leave it out."


def spread(family: Family) -> Parameter:
    """The parameter that ``dispformula`` is of.

    Raises
    ------
    ModelError
        If the family has none, with families that have.
    """
    own = next((own for own in family.single if own.support == "positive" and own.links), None)
    if own is None:
        if family.errors == "known":
            raise ModelError(f"{DISPERSION}: under se() errors are known, and there is no other spread. Write se(..., "
                             "sigma = TRUE) for a residual beside them, or leave it out.")  # fmt: skip
        others = " or ".join(f"family={name!r}" for name in WITH_SPREAD.get(family.name, ()))
        remedy = f"Say {others}, or leave it out." if others else "Leave it out."
        raise ModelError(f"{DISPERSION}: the family {family} has no parameter of spread beside its mean. {remedy}")
    return own


def meant_by(argument: str, family: Family) -> tuple[str, ...]:
    """The names by which a formula speaks of what an argument is of: the argument itself, and the parameter."""
    if argument == ZEROS:
        return (argument, "zi", "hu")
    positive = (own.name for own in family.single if own.support == "positive" and own.links)
    return (argument, *tuple(positive)[:1])


def spread_notice(family: Family) -> str:
    """What ``dispformula`` means here, in which direction, and where glmmTMB means something else."""
    own = spread(family)
    words = f" ({own.words})" if own.words else ""
    less = "less" if own.scale in NARROWING else "more"
    elsewhere = f"; {ELSEWHERE[family.name]}" if family.name in ELSEWHERE else ""
    return (
        f"{DISPERSION} is of {own.chosen_link}({own.name}){words}: positive coefficients mean {less} spread{elsewhere}"
    )
