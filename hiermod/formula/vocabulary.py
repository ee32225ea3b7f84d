"""The functions a formula may call: a fixed table, and those that a user registered. Nothing else is reachable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hiermod.errors import HiermodError, did_you_mean


@dataclass(frozen=True)
class Signature:
    """What a function takes: its options in R's order, after the column; `factor` tells that it gives levels."""

    options: tuple[str, ...] = ()
    required: int = 0
    factor: bool = False


PLAIN = Signature()
SIGNATURES: dict[str, Signature] = {
    **dict.fromkeys(("log10", "log2", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan", "I"), PLAIN),
    "log": Signature(("base",)),
    "round": Signature(("digits",)),
    "scale": Signature(("center", "scale")),
    "standardize": PLAIN,
    "center": PLAIN,
    "poly": Signature(("degree", "raw")),
    "bs": Signature(("df", "knots", "degree", "intercept")),
    "ns": Signature(("df", "knots", "intercept")),
    "cut": Signature(("breaks", "labels", "include.lowest", "right"), required=1, factor=True),
    "factor": Signature(("levels", "labels"), factor=True),
    "as.factor": Signature(factor=True),
    "ordered": Signature(("levels", "labels"), factor=True),
    "relevel": Signature(("ref",), required=1, factor=True),
    "C": Signature(("contr",), factor=True),
}
IN_NUMPY = ("log", "log10", "log2", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan", "round")
ALIASES = {f"np.{name}": name for name in IN_NUMPY}
CONTRASTS = {
    **{name: name for name in ("treatment", "sum", "helmert", "poly")},
    **{f"contr.{name}": name for name in ("treatment", "sum", "helmert", "poly")},
    "Treatment": "treatment", "Sum": "sum", "Helmert": "helmert", "Poly": "poly",
}  # fmt: skip
REGISTERED: dict[str, Callable[..., Any]] = {}


def signature(name: str) -> Signature | None:
    """What a function takes; None where a formula cannot call it."""
    return PLAIN if name in REGISTERED else SIGNATURES.get(name)


def suggestion(name: str) -> str:
    """The nearest functions, and how to add one."""
    near = did_you_mean(name, [*SIGNATURES, *REGISTERED])
    return f"{near} Or add a column with the result to the data; hiermod.register adds functions of your own."


def register(name: str, function: Callable[..., Any]) -> None:
    """Let formulas call a function of your own.

    Parameters
    ----------
    name : str
        As it is written in formulas; a plain name that is not taken.
    function : callable
        Takes the values of one column or more, each an array of shape ``(rows,)``, and returns numbers of the same
        shape. It is called anew on new data, so it must not depend on which rows it gets.

    Raises
    ------
    HiermodError
        If the name is taken or no plain name, or `function` cannot be called.

    Examples
    --------
    >>> import numpy as np, hiermod as hm
    >>> hm.register("cube", lambda x: x**3)
    >>> model = hm.model("Reaction ~ cube(Days) + (1 | Subject)", hm.example("sleepstudy"))
    """
    if not isinstance(name, str) or not name.isidentifier() or name in SIGNATURES or name in RESERVED:
        raise HiermodError(f"register: {name!r} is taken, or no plain name. Choose another one.")
    if not callable(function):
        raise HiermodError(f"register: {function!r} cannot be called.")
    REGISTERED[name] = function


RESERVED = (
    "offset",
    "cbind",
    "p",
    "prop",
    "proportion",
    "trials",
    "weights",
    "c",
    "s",
    "t2",
    "te",
    "mo",
    "gp",
    "treatment",
)
