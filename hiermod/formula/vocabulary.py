"""The functions a formula may call: a fixed table, and those that a user registered. Nothing else is reachable.

What each one computes stands in `hiermod.data.columns.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hiermod.errors import HiermodError, did_you_mean

FLAG, NUMBER = "TRUE or FALSE", "a number"
FLAG_OR_NUMBER, NUMBERS = "TRUE, FALSE or a number", "a number or several: c(1, 2)"
ANY = "anything"


@dataclass(frozen=True)
class Function:
    """How a function is written.

    `options` are in R's order, after the column, each with what it may be; the first `required` ones are needed. `r` is
    its spelling for R where that is another (``{}`` stands for the column), `python` its name for Bambi. A `stepped`
    function has no slope.
    """

    options: Mapping[str, str] = field(default_factory=dict)
    required: int = 0
    r: str = ""
    python: str = ""
    stepped: bool = False

    def __post_init__(self) -> None:
        assert set(self.options.values()) <= {FLAG, NUMBER, FLAG_OR_NUMBER, NUMBERS, ANY}


FUNCTIONS: dict[str, Function] = {
    **{
        name: Function(python=f"np.{name}")
        for name in ("log10", "log2", "log1p", "exp", "expm1", "sqrt", "abs", "sin", "cos", "tan")
    },
    "I": Function(),
    "log": Function({"base": NUMBER}, python="np.log"),
    "round": Function({"digits": NUMBER}, python="np.round", stepped=True),
    "scale": Function({"center": FLAG_OR_NUMBER, "scale": FLAG_OR_NUMBER}),
    "standardize": Function(r="scale({})"),
    "center": Function(r="scale({}, scale=FALSE)"),
    "poly": Function({"degree": NUMBER, "raw": FLAG}),
    "bs": Function({"df": NUMBER, "knots": NUMBERS, "degree": NUMBER, "intercept": FLAG}),
    "ns": Function({"df": NUMBER, "knots": NUMBERS, "intercept": FLAG}),
    "cut": Function({"breaks": NUMBERS, "labels": ANY, "include.lowest": FLAG, "right": FLAG}, required=1),
    "factor": Function({"levels": ANY, "labels": ANY}, python="C"),
    "as.factor": Function(python="C"),
    "ordered": Function({"levels": ANY, "labels": ANY}),
    "relevel": Function({"ref": ANY}, required=1),
    "C": Function({"contr": ANY, "levels": ANY}),
}
ALIASES = {function.python: name for name, function in FUNCTIONS.items() if function.python.startswith("np.")}
CONTRASTS = {
    **{name: name for name in ("treatment", "sum", "helmert", "poly")},
    **{f"contr.{name}": name for name in ("treatment", "sum", "helmert", "poly")},
    "Treatment": "treatment", "contr.Treatment": "treatment", "Sum": "sum", "Helmert": "helmert", "Poly": "poly",
}  # fmt: skip
RESERVED = (
    "offset", "cbind", "p", "prop", "proportion", "trials", "weights", "c", "s", "t2", "te", "mo", "gp", "treatment",
)  # fmt: skip
REGISTERED: dict[str, Callable[..., Any]] = {}


def function(name: str) -> Function | None:
    """How a function is written; None where a formula cannot call it."""
    return Function() if name in REGISTERED else FUNCTIONS.get(name)


def suggestion(name: str) -> str:
    """The nearest functions, and how to add one."""
    near = did_you_mean(name, [*FUNCTIONS, *REGISTERED])
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
    if not isinstance(name, str) or not name.isidentifier() or name in FUNCTIONS or name in RESERVED:
        raise HiermodError(f"register: {name!r} is taken, or no plain name. Choose another one.")
    if not callable(function):
        raise HiermodError(f"register: {function!r} cannot be called.")
    REGISTERED[name] = function
