"""What would be concluded under other priors: claims about effects, from refits with half and double their width."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers import effects, rates
from hiermod.answers.answer import Answer
from hiermod.answers.estimates import fixef_draws
from hiermod.answers.implied import compared
from hiermod.answers.scope import Scope
from hiermod.modeling.prior_width import KINDS, with_width
from hiermod.modeling.spec import Spec
from hiermod.sampling.effective import mean_sizes
from hiermod.sampling.posterior import Posterior
from hiermod.sampling.sample import sample
from hiermod.sampling.samplers import choose_sampler
from hiermod.sampling.settings import Settings

AS_FITTED = "as fitted"
WIDTHS = {"half": 0.5, "double": 2.0}
SLOPE = "slope of "
FEW_GROUPS = 12  # that are compared as arms where there is nothing else


@dataclass(frozen=True)
class Claim:
    """What is claimed: an effect of `variable` between two levels, in `by` cells; all that suit a model without it."""

    variable: str | None
    by: Any
    control: Any
    groups: str
    goal: str
    prob: float


def refit(
    posterior: Posterior, asked: Settings, announce: Callable[[str], None]
) -> tuple[dict[str, Posterior], list[str]]:
    """Fit with priors of other widths, with the seed of the posterior; return the fits by name, and notices."""
    spec = posterior.spec
    assert isinstance(spec, Spec)
    settings = replace(asked, seed=posterior.settings.seed)
    found, notices = {}, []
    for kind in KINDS:
        if not (spec.common.blocks if kind == KINDS[0] else spec.bars):
            continue
        for name, factor in WIDTHS.items():
            other = with_width(spec, kind, factor)
            sampler, _ = choose_sampler(other, settings.engine, announce)
            label = f"{name} width of {kind}"
            found[label] = sample(other, sampler, settings, progress=False)
            notices += [f"{label}: {notice}" for notice in found[label].notices]
    return found, notices


def conclusions(posteriors: dict[str, Posterior], claim: Claim) -> pd.DataFrame:
    """A row per claim and fit: ``priors, quantity, estimate, lower, upper, prob_beats, mc_error``."""
    tables = [_claims(own, claim).assign(priors=label) for label, own in posteriors.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[["priors", *(name for name in table if name != "priors")]]


def _claims(posterior: Posterior, claim: Claim) -> pd.DataFrame:
    spec = posterior.spec
    assert isinstance(spec, Spec)
    names = [claim.variable] if claim.variable is not None else list(compared(spec))
    if names:
        return pd.concat([_effects(posterior, name, claim) for name in names], ignore_index=True)
    slopes = {name: draws for name, draws in fixef_draws(posterior).items() if name != "Intercept"}
    if slopes:
        return pd.concat([_slope(posterior, *slope, claim) for slope in slopes.items()], ignore_index=True)
    few = {name for name, own in spec.cells.groupings.items() if 2 <= own.size <= FEW_GROUPS and len(own.columns) == 1}
    if few and claim.groups == "observed":
        return pd.concat([_effects(posterior, name, claim) for name in sorted(few)], ignore_index=True)
    answer = rates.rates(posterior, Scope(by=claim.by, groups=claim.groups), None, claim.prob)
    return _rows(posterior, answer, answer.question.measure.name, np.full((len(answer.table), 1), np.nan))


def _effects(posterior: Posterior, variable: str, claim: Claim) -> pd.DataFrame:
    scope = Scope(by=claim.by, groups=claim.groups)
    answer = effects.effect(
        posterior, variable, scope, "control", claim.control, "difference", None, None, claim.goal, claim.prob
    )  # fmt: skip
    values = _flat(answer)
    better = np.sign(values) * (1.0 if claim.goal == "max" else -1.0)
    return _rows(posterior, answer, variable, 0.5 * (1.0 + better))


def _slope(posterior: Posterior, name: str, draws: np.ndarray, claim: Claim) -> pd.DataFrame:
    tails = [(1.0 - claim.prob) / 2.0, (1.0 + claim.prob) / 2.0]
    lower, upper = np.quantile(draws, tails)
    above = 0.5 * (1.0 + np.sign(draws))
    row = {"quantity": f"{SLOPE}{name}", "estimate": draws.mean(), "lower": lower, "upper": upper}
    return pd.DataFrame([row | _chance(posterior, above)])


def _rows(posterior: Posterior, answer: Answer, name: str, beats: np.ndarray) -> pd.DataFrame:
    columns = ["estimate", "lower", "upper"]
    keys = answer.draws.indexes["row"].to_frame(index=False)
    by = [key for key in keys if key in answer.question.by]
    texts = []
    for _, row in keys.iterrows():
        contrast = f"{name}, {row['contrast']}" if "contrast" in keys else name
        texts.append(", ".join([contrast, *(f"{key} {row[key]}" for key in by)]))
    chances = [_chance(posterior, own) for own in beats]
    return pd.DataFrame({"quantity": texts}).join(answer.table[columns]).join(pd.DataFrame(chances))


def _chance(posterior: Posterior, beats: np.ndarray) -> dict[str, float]:
    """The mean of an indicator and its Monte Carlo standard error, of at least one effective draw."""
    if np.isnan(beats).any():
        return {"prob_beats": np.nan, "mc_error": np.nan}
    chains, draws = posterior.shape
    size = float(mean_sizes(beats.reshape(chains, draws, 1))[0]) if draws >= 4 else float(beats.size)
    chance = float(beats.mean())
    return {"prob_beats": chance, "mc_error": float(max(np.sqrt(chance * (1.0 - chance) / size), 1.0 / size))}


def _flat(answer: Answer) -> np.ndarray:
    values = answer.draws.transpose("row", "chain", "draw").to_numpy()
    return values.reshape(len(values), -1)


def strength(chance: float, threshold: float) -> str:
    """What a chance amounts to: ``for`` from the threshold on, ``against`` from one minus it down, else ``open``."""
    return "for" if chance >= threshold else "against" if 1.0 - chance >= threshold else "open"


def changes(table: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """The rows under other priors whose chance amounts to something else than as fitted, beyond Monte Carlo error."""
    fitted = table[table["priors"] == AS_FITTED].set_index("quantity")[["prob_beats", "mc_error"]]
    base = fitted.loc[table["quantity"]].to_numpy(dtype=float)
    own = table[["prob_beats", "mc_error"]].to_numpy(dtype=float)
    other = [strength(float(before), threshold) != strength(float(after), threshold)
             for before, after in zip(base[:, 0], own[:, 0], strict=True)]  # fmt: skip
    beyond = np.abs(own[:, 0] - base[:, 0]) > 2.0 * np.hypot(base[:, 1], own[:, 1])
    return table[np.array(other) & beyond]
