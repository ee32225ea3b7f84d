"""Priors of a set of slopes, which shrink them together: the regularised horseshoe, and R2D2.

Numbers are brms's, and so are their defaults. Each slope is per standard deviation of its column, 1 for columns of 0
and 1.

``Horseshoe`` (Piironen and Vehtari 2017, Electronic Journal of Statistics 11, 5018-5051): the slopes are normal about 0
with standard deviations ``σ τ λ / sqrt(1 + (σ τ λ / c)²)``; λ, one for each, is HalfStudentT(df, 1), τ is
HalfStudentT(df_global, scale_global), and the slab's variance c² InverseGamma(df_slab / 2, scale_slab² df_slab / 2).

``R2D2`` (Zhang, Naughton, Bondell and Reich 2022, JASA 117, 862-874): they are normal with variances
``σ² φ R² / (1 - R²)``; φ, shares of all slopes, is Dirichlet(cons_D2), and R² Beta of the mean and the precision.

σ is the residual standard deviation, where there is one; else 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hiermod.errors import PriorError
from hiermod.priors.distributions import Prior
from hiermod.priors.reading import MAX_LENGTH, NUMBER, SPELLING, refuse_extreme

ARGUMENT = re.compile(rf"\s*(?:([A-Za-z_]\w*)\s*=\s*)?({NUMBER}|[A-Za-z]\w*)\s*")
HORSESHOE, R2D2 = "Horseshoe", "R2D2"
DEFAULTS: dict[str, dict[str, float]] = {
    HORSESHOE: {"df": 1.0, "scale_global": 1.0, "df_global": 1.0, "scale_slab": 2.0, "df_slab": 4.0},
    R2D2: {"mean_R2": 0.5, "prec_R2": 2.0, "cons_D2": 0.5},
}
OF_BRMS = {  # options of brms that are no numbers of these priors
    "par_ratio": "write scale_global = par_ratio / sqrt(rows), as brms has it",
    "autoscale": "slopes are always in units of sigma where a model has one, as under brms's default",
    "main": "every prior has numbers of its own",
}
READABLE = {name.lower(): name for name in DEFAULTS}


@dataclass(frozen=True)
class SetPrior:
    """A prior of a set of slopes, with its numbers in the order of `DEFAULTS`."""

    name: str
    arguments: tuple[float, ...]
    origin: str = field(default="", compare=False)

    @property
    def numbers(self) -> Mapping[str, float]:
        """The numbers by their names."""
        return dict(zip(DEFAULTS[self.name], self.arguments, strict=True))

    def describe(self) -> str:
        """The prior in numbers: ``Horseshoe(df=1, scale_global=0.2, ...)``."""
        return f"{self.name}({', '.join(f'{name}={number:.4g}' for name, number in self.numbers.items())})"

    def __str__(self) -> str:
        """As it is read again."""
        numbers = ", ".join(f"{name}={repr(number).removesuffix('.0')}" for name, number in self.numbers.items())
        return f"{self.name}({numbers})" + (f"  # {self.origin}" if self.origin else "")

    @property
    def moments(self) -> float:
        """A slope's power below this number has a mean under the prior."""
        own = self.numbers
        return own["df_slab"] if self.name == HORSESHOE else 2.0 * (1.0 - own["mean_R2"]) * own["prec_R2"]

    def hyperpriors(self) -> dict[str, Prior]:
        """The priors of what slopes share, by name; and of one share or scale of them."""
        own = self.numbers
        if self.name == HORSESHOE:
            half, squared = own["df_slab"] / 2.0, own["scale_slab"] ** 2
            return {
                "global": Prior("HalfStudentT", (own["df_global"], own["scale_global"])),
                "slab": Prior("InverseGamma", (half, squared * half), power=2.0),
                "local": Prior("HalfStudentT", (own["df"], 1.0)),
            }
        mean, size = own["mean_R2"], own["prec_R2"]
        return {"R2": Prior("Beta", (mean * size, (1.0 - mean) * size)), "phi": Prior("Dirichlet", (own["cons_D2"],))}


def read_set(key: str, text: Any) -> SetPrior | None:
    """Read ``"Horseshoe(scale_global=0.1)"`` or ``"R2D2()"``; None of other priors.

    Raises
    ------
    PriorError
        With the numbers that it takes, and what was found.
    """
    if isinstance(text, SetPrior):
        return text
    spelled = SPELLING.fullmatch(text) if isinstance(text, str) and len(text) <= MAX_LENGTH else None
    name = READABLE.get(spelled.group(1).lower()) if spelled else None
    if spelled is None or name is None:
        return None
    numbers, known = dict(DEFAULTS[name]), list(DEFAULTS[name])
    given: set[str] = set()
    expected = f"{name}({', '.join(known)}), each with brms's default"
    for place, piece in enumerate(spelled.group(2).split(",") if spelled.group(2).strip() else []):
        argument = ARGUMENT.fullmatch(piece)
        option = argument.group(1) if argument else None
        if option in OF_BRMS:
            raise PriorError(f"{key!r}: {option} in {text!r} is no number of {name}: {OF_BRMS[option]}.")
        if argument is None or not re.fullmatch(NUMBER, argument.group(2)):
            raise PriorError(f"{key!r}: {piece.strip()!r} in {text!r} is not a number. Expected {expected}.")
        if option is None and place >= len(known):
            raise PriorError(f"{key!r}: {text!r} has too many numbers. Expected {expected}.")
        option = option or known[place]
        if option not in known or option in given:
            raise PriorError(f"{key!r}: {option!r} in {text!r} is unknown or given twice. Expected {expected}.")
        given.add(option)
        numbers[option] = float(argument.group(2))
        high = 1.0 if option == "mean_R2" else math.inf
        if not 0.0 < numbers[option] < high:
            raise PriorError(
                f"{key!r}: {option} must be {'between 0 and 1' if high == 1.0 else 'above 0'} in {text!r}."
            )
    prior = SetPrior(name, tuple(numbers.values()), (spelled.group(3) or "").strip())
    for own in prior.hyperpriors().values():
        refuse_extreme(key, own)
    return prior
