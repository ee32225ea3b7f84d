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
    from hiermod.answers.answer import Answer as Answer
    from hiermod.answers.averaging.numbers import Grid as Grid
    from hiermod.answers.averaging.numbers import grid
    from hiermod.answers.deciding.sample_ratio import srm
    from hiermod.answers.draws import expected_loss, inv_logit, logit, prob_beats, prob_best
    from hiermod.answers.scoring.comparison import ModelComparison as ModelComparison
    from hiermod.api import fit, glmer, lmer, load, model
    from hiermod.data.sources.examples import example
    from hiermod.families.functionals import Functional
    from hiermod.families.record import Family, Parameter
    from hiermod.formula.translate import translate
    from hiermod.formula.vocabulary import register
    from hiermod.interface.comparison import compare
    from hiermod.interface.fit import Fit, Model
    from hiermod.interface.foreign import from_bambi
    from hiermod.interface.imputed import ImputedFit as ImputedFit
    from hiermod.interface.imputed import pool
    from hiermod.interface.past_fits import prior_from
    from hiermod.interface.pictures import plot_scenarios
    from hiermod.interface.planning import Plan as Plan
    from hiermod.interface.planning import plan
    from hiermod.interface.prior_draws import PriorDraws as PriorDraws
    from hiermod.interface.registering import register_family
    from hiermod.interface.report import report
    from hiermod.interface.table import table
    from hiermod.sampling.checks import CheckReport as CheckReport

__all__ = [
    "Family",
    "Fit",
    "Functional",
    "Model",
    "Parameter",
    "compare",
    "errors",
    "example",
    "expected_loss",
    "fit",
    "from_bambi",
    "glmer",
    "grid",
    "inv_logit",
    "lmer",
    "load",
    "logit",
    "model",
    "plan",
    "plot_scenarios",
    "pool",
    "prior_from",
    "prob_beats",
    "prob_best",
    "register",
    "register_family",
    "report",
    "srm",
    "table",
    "translate",
]

_NAMES = {
    "hiermod.answers.answer": ("Answer",),
    "hiermod.answers.averaging.numbers": ("Grid", "grid"),
    "hiermod.answers.deciding.sample_ratio": ("srm",),
    "hiermod.answers.draws": ("expected_loss", "inv_logit", "logit", "prob_beats", "prob_best"),
    "hiermod.answers.scoring.comparison": ("ModelComparison",),
    "hiermod.api": ("fit", "glmer", "lmer", "load", "model"),
    "hiermod.data.sources.examples": ("example",),
    "hiermod.families.functionals": ("Functional",),
    "hiermod.families.record": ("Family", "Parameter"),
    "hiermod.formula.translate": ("translate",),
    "hiermod.formula.vocabulary": ("register",),
    "hiermod.interface.comparison": ("compare",),
    "hiermod.interface.fit": ("Fit", "Model"),
    "hiermod.interface.foreign": ("from_bambi",),
    "hiermod.interface.imputed": ("ImputedFit", "pool"),
    "hiermod.interface.past_fits": ("prior_from",),
    "hiermod.interface.pictures": ("plot_scenarios",),
    "hiermod.interface.planning": ("Plan", "plan"),
    "hiermod.interface.prior_draws": ("PriorDraws",),
    "hiermod.interface.registering": ("register_family",),
    "hiermod.interface.report": ("report",),
    "hiermod.interface.table": ("table",),
    "hiermod.sampling.checks": ("CheckReport",),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:  # a name that is not there is then an error to type checkers, too

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used, so that importing hiermod costs nothing."""
        if name == "errors":
            return import_module("hiermod.errors")
        if name not in _HOME:
            raise AttributeError(f"module 'hiermod' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOME[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, *_HOME, "__version__"})
