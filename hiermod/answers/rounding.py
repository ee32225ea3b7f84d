"""How many digits of an answer's numbers its draws support."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, Question
from hiermod.sampling.diagnostics import mean_sizes

LOOKED_AT = 50  # rows that decide over a column
MOST = 8  # decimals
FEWEST_DRAWS = 100


def decimals(answer: Answer) -> dict[str, int]:
    """Decimals of the columns that were computed from the draws; none where these are too few to tell.

    A number's Monte Carlo error e is that of a mean, a quantile or a probability, from the effective sample size; its
    last digit is worth at most 2e. A column has the decimals of its middle row.
    """
    table = answer.table
    values = answer.draws.transpose("chain", "draw", "row")
    if values.sizes["chain"] * values.sizes["draw"] < FEWEST_DRAWS or len(table) != values.sizes["row"]:
        return {}
    rows = np.unique(np.linspace(0, len(table) - 1, min(len(table), LOOKED_AT)).astype(int))
    chosen = np.asarray(values.isel(row=rows).to_numpy(), dtype=float)
    sizes = mean_sizes(chosen)
    flat = chosen.reshape(-1, len(rows)).T
    errors = _errors(table.iloc[rows], flat, np.maximum(sizes, 1.0), answer.question)
    return {name: places for name, error in errors.items() if (places := _places(error)) is not None}


def _errors(table: pd.DataFrame, flat: np.ndarray, sizes: np.ndarray, question: Question) -> dict[str, np.ndarray]:
    spread, root = flat.std(axis=1), np.sqrt(sizes)
    errors = {"estimate": spread / root, "sd": spread / (math.sqrt(2.0) * root)}
    for name, place in (("lower", (1.0 - question.prob) / 2.0), ("upper", (1.0 + question.prob) / 2.0)):
        errors[name] = np.array([_quantile_error(*row, place) for row in zip(flat, sizes, strict=True)])
    for name in map(str, table.columns):
        if name.startswith("prob") and pd.api.types.is_float_dtype(table[name]):
            share = table[name].to_numpy()
            errors[name] = np.sqrt(np.maximum(share * (1.0 - share), 1.0 / sizes) / sizes)
    if "expected_loss" in table and question.scale.additive and not question.scale.linear:
        sides = [np.maximum(sign * flat, 0.0) for sign in (1.0, -1.0)]
        closest = np.argmin([np.abs(side.mean(axis=1) - table["expected_loss"]) for side in sides], axis=0)
        errors["expected_loss"] = np.choose(closest, [side.std(axis=1) for side in sides]) / root
    return {name: error for name, error in errors.items() if name in table}


def _quantile_error(draws: np.ndarray, size: float, place: float) -> float:
    """Half the distance between the quantiles one standard error of a probability below and above."""
    step = math.sqrt(place * (1.0 - place) / size)
    low, high = np.quantile(draws, [max(place - step, 0.0), min(place + step, 1.0)])
    return float(high - low) / 2.0


def _places(errors: np.ndarray) -> int | None:
    known = errors[np.isfinite(errors) & (errors > 0.0)]
    if not len(known):
        return None
    return int(np.clip(-math.floor(math.log10(2.0 * float(np.median(known)))), 0, MOST))
