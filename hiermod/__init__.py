"""hiermod: from an lme4 formula to a calibrated posterior and an answer in plain words.

>>> import hiermod as hm
>>> fit = hm.fit("success ~ treated + (1 + treated | country)", hm.example("country"))  # doctest: +SKIP
>>> fit.effect("treated", by="country")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hiermod.version import __version__ as __version__

if TYPE_CHECKING:
    from hiermod import errors
    from hiermod.answers.decisions import expected_loss, inv_logit, logit, prob_beats, prob_best
    from hiermod.answers.sample_ratio import srm
    from hiermod.api import fit, glmer, lmer, load, model
    from hiermod.data.examples import example
    from hiermod.facades.comparing import compare
    from hiermod.facades.fit import Fit
    from hiermod.facades.foreign import from_bambi
    from hiermod.facades.model import Model
    from hiermod.facades.planning import plan
    from hiermod.formula.translate import translate
    from hiermod.formula.vocabulary import register

_HOME = {
    "Fit": "hiermod.facades.fit",
    "Model": "hiermod.facades.model",
    "compare": "hiermod.facades.comparing",
    "errors": "hiermod",
    "example": "hiermod.data.examples",
    "expected_loss": "hiermod.answers.decisions",
    "fit": "hiermod.api",
    "from_bambi": "hiermod.facades.foreign",
    "glmer": "hiermod.api",
    "inv_logit": "hiermod.answers.decisions",
    "lmer": "hiermod.api",
    "load": "hiermod.api",
    "logit": "hiermod.answers.decisions",
    "model": "hiermod.api",
    "plan": "hiermod.facades.planning",
    "prob_beats": "hiermod.answers.decisions",
    "prob_best": "hiermod.answers.decisions",
    "register": "hiermod.formula.vocabulary",
    "srm": "hiermod.answers.sample_ratio",
    "translate": "hiermod.formula.translate",
}

__all__ = [
    "Fit",
    "Model",
    "compare",
    "errors",
    "example",
    "expected_loss",
    "fit",
    "from_bambi",
    "glmer",
    "inv_logit",
    "lmer",
    "load",
    "logit",
    "model",
    "plan",
    "prob_beats",
    "prob_best",
    "register",
    "srm",
    "translate",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing hiermod costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'hiermod' has no attribute {name!r}")
    if name == "errors":
        return import_module("hiermod.errors")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
