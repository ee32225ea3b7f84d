"""`prior_summary`: every prior of a model in numbers."""

from __future__ import annotations

import pandas as pd

from hiermod.modeling.pooled import MEAN, SPREAD, BetaSpec
from hiermod.modeling.spec import Spec

COLUMNS = ["parameter", "prior", "scale", "stated_at"]
AUXILIARY = {"sigma": "response", "nu": "degrees of freedom", "alpha": "shape", "kappa": "precision"}


def prior_summary(spec: Spec | BetaSpec) -> pd.DataFrame:
    """A row per parameter: its prior in numbers, the scale it lives on, and where the predictors stand for it."""
    rows = _beta_rows(spec) if isinstance(spec, BetaSpec) else _rows(spec)
    return pd.DataFrame(rows, columns=COLUMNS)


def _beta_rows(spec: BetaSpec) -> list[tuple[str, str, str, str]]:
    return [
        (MEAN, "Uniform(0, 1)", "response", "a / (a + b)"),
        (SPREAD, "Flat above 0", "response", "(a + b)^(-1/2); together p(a, b) ∝ (a + b)^(-5/2)"),
        (spec.rate_name, "Beta(a, b)", "response", "each group's rate"),
    ]


def _rows(spec: Spec) -> list[tuple[str, str, str, str]]:
    link = spec.family.link.name
    at = ", ".join(f"{name} = {centre:.4g}" for name, centre in spec.common.centres.items())
    shifted = spec.common.shift.any(axis=1)
    rows = []
    for block in spec.common.blocks:
        prior, columns = spec.priors.coefficients[block.name], spec.common.slices()[block.name]
        for place, name in enumerate(block.row_names()):
            moved = bool(shifted[columns][place])
            rows.append((name, prior.at(place).describe(), link, at if moved else ""))
    for term in spec.groups:
        for effect in term.effects:
            prior = spec.priors.sds[effect.name]
            for place, name in enumerate(effect.row_names):
                shown = "1" if name == "Intercept" else name
                rows.append((f"sd({shown}|{term.grouping.name})", prior.at(place).describe(), link, ""))
        if term.correlated:
            prior = spec.priors.correlations[term.correlation_name]
            rows.append((f"cor({term.grouping.name})", prior.describe(), "correlation", ", ".join(term.row_names)))
    return rows + [(name, prior.describe(), AUXILIARY[name], "") for name, prior in spec.priors.auxiliary.items()]
