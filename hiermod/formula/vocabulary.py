"""The functions a formula may call: a fixed table, and those that a user registered. Nothing else is reachable.

What each one computes stands in `hiermod.data.columns.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hiermod.errors import HiermodError, enumerate_names, nearest

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
    "s": Function({"by": ANY, "k": NUMBER, "bs": ANY, "m": NUMBERS}),
    "mo": Function(stepped=True),
    "hsgp": Function(
        {
            **dict.fromkeys(("m", "c", "L"), NUMBER),
            **dict.fromkeys(("by", "cov"), ANY),
            **dict.fromkeys(("share_cov", "scale", "iso", "centered"), FLAG),
        }
    ),
    "cut": Function({"breaks": NUMBERS, "labels": ANY, "include.lowest": FLAG, "right": FLAG}, required=1),
    "factor": Function({"levels": ANY, "labels": ANY}, python="C"),
    "as.factor": Function(python="C"),
    "ordered": Function({"levels": ANY, "labels": ANY}),
    "as.ordered": Function(),
    "relevel": Function({"ref": ANY}, required=1),
    "C": Function({"contr": ANY, "levels": ANY, "base": NUMBER}),
}
BESIDE = {"s": "by", "hsgp": "by"}  # functions, and their option that is a column
ALIASES = {function.python: name for name, function in FUNCTIONS.items() if function.python.startswith("np.")}
CONTRASTS = {
    **{name: name for name in ("treatment", "sum", "helmert", "poly")},
    **{f"contr.{name}": name for name in ("treatment", "sum", "helmert", "poly")},
    "Treatment": "treatment", "contr.Treatment": "treatment", "Sum": "sum", "Helmert": "helmert", "Poly": "poly",
}  # fmt: skip
RESERVED = (
    "offset", "cbind", "p", "prop", "proportion", "trials", "weights", "c", "t2", "te", "gp", "treatment", "rate",
)  # fmt: skip
REGISTERED: dict[str, Callable[..., Any]] = {}


def function(name: str) -> Function | None:
    """How a function is written; None where a formula cannot call it."""
    return Function() if name in REGISTERED else FUNCTIONS.get(name)


SPLINES = "bs(x, df=5) and ns(x, df=4) are splines with fixed knots"
KINDS_OF_MODELS = {  # that are not there: what they are, the functions that ask for them, and what is nearest
    "Smooths of several columns, {}, are not fitted. The nearest are curves that add up, s(a) + s(b), and a slope of b "
    "that is a curve in a, s(a, by=b)": ("t2", "te", "ti"),
    "Local regressions, {}, are not fitted. The nearest is the smooth s(x)": ("lo",),
    "Gaussian processes, {}, are not fitted. The nearest is the smooth s(x); hsgp(x, m=20, c=1.5) in its place tells "
    "how Bambi fits one": ("gp",),
    "Effects on each threshold, {}, stand alone in the sum: + cs(x), or, with products inside, + cs(x * z)": (
        "cs", "cse",
    ),
    "Autocorrelated residuals, {}, are not there. The nearest are effects of groups: (1 | unit), which correlates all "
    "rows of a unit alike, and (time | unit)": (
        "ar", "ma", "arma", "cor_ar", "cosy", "unstr", "sar", "car", "fcor", "ar1", "ou", "toep",
    ),
    "Missing values are not imputed by a model, as {} asks. The nearest is na='drop', the default: such rows are left "
    "out": ("mi",),
    "Predictors with an error of measurement, {}, are not there. The nearest is the column itself, as if it had none": (
        "me",
    ),
    "Multi-membership, {}, is not there. The nearest is (1 | a) + (1 | b), with effects of their own for each": (
        "mm", "mmc",
    ),
    "Known standard errors, {}, stand beside the response: y | se(s) ~ x": ("se",),
    "Censored and truncated responses are written time | cens(code), Surv(time, event) or y | trunc(lb = 0), not "
    "{}": ("cens", "censored", "trunc", "truncated", "Surv", "constrained"),
    "Several responses, {}, are not fitted at once. Fit a model for each": ("mvbind", "mvbf"),
    "A covariance {} is named before a bar, as in us(x | g)": ("us", "diag"),
}  # fmt: skip
INSTEAD = {
    "weighted": "Weights that count rows stand beside the response: y | weights(w)",
    "gr": "A grouping factor is written alone: (1 | g)",
    "Q": "A column's name that is no plain one stands in backticks",
    "binary": "Write I(g == 'c')", "B": "Write I(g == 'c')", "dummy": "Write I(g == 'c')",
    "np.power": "Write I(x^2)", "T": "Write C(g, Treatment('b'))", "S": "Write C(g, Sum)",
    "as.character": "Write factor(x)", "as.numeric": "Write the column alone where it holds numbers",
    "cr": "Write ns(x, df=4)", "cc": "Write ns(x, df=4)",
}  # fmt: skip
ALIKE = 0.75  # of the letters, from which on another function is likely to be meant
ADD = "add a column with the result to the data; hiermod.register adds functions of your own."


def absent(name: str) -> str:
    """What is said of a function that is not there: what it would be, and what is nearest."""
    called = f"{name}(…)"
    for sentence, names in KINDS_OF_MODELS.items():
        if name in names:
            return f"{sentence.format(called)}."
    if name in INSTEAD:
        return f"There is no function {name!r}. {INSTEAD[name]}, or {ADD}"
    known = [*FUNCTIONS, *REGISTERED]
    close = nearest(name, known, cutoff=ALIKE) if len(name) > 2 else []
    near = f" Did you mean {' or '.join(map(repr, close))}?" if close else f" There is: {enumerate_names(known, 40)}."
    column = "" if close else f" A column of this name stands in backticks: `{name} (…)`."
    return f"There is no function {name!r}.{near} Or {ADD}{column}"


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
