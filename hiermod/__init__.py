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
    from hiermod.answers.deciding.sample_ratio import srm
    from hiermod.answers.draws import expected_loss, inv_logit, logit, prob_beats, prob_best
    from hiermod.api import fit, glmer, lmer, load, model
    from hiermod.data.sources.examples import example
    from hiermod.formula.translate import translate
    from hiermod.formula.vocabulary import register
    from hiermod.interface.comparing import compare
    from hiermod.interface.fit import Fit, Model
    from hiermod.interface.foreign import from_bambi
    from hiermod.interface.planning import plan

_HOME = {
    "Fit": "hiermod.interface.fit",
    "Model": "hiermod.interface.fit",
    "compare": "hiermod.interface.comparing",
    "errors": "hiermod",
    "example": "hiermod.data.sources.examples",
    "expected_loss": "hiermod.answers.draws",
    "fit": "hiermod.api",
    "from_bambi": "hiermod.interface.foreign",
    "glmer": "hiermod.api",
    "inv_logit": "hiermod.answers.draws",
    "lmer": "hiermod.api",
    "load": "hiermod.api",
    "logit": "hiermod.answers.draws",
    "model": "hiermod.api",
    "plan": "hiermod.interface.planning",
    "prob_beats": "hiermod.answers.draws",
    "prob_best": "hiermod.answers.draws",
    "register": "hiermod.formula.vocabulary",
    "srm": "hiermod.answers.deciding.sample_ratio",
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
