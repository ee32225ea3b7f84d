"""Draws as tidy frames: a row per draw and a column per parameter, or a row per draw and level of a grouping factor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.parameters.by_group import factors_of
from hiermod.answers.parameters.estimates import fixef_draws
from hiermod.answers.parameters.hypotheses import chief_draws, elements, named_draws
from hiermod.errors import AnswerError, did_you_mean, enumerate_names
from hiermod.sampling.posterior import Posterior


def draws_table(posterior: Posterior, names: Any, group: str | None) -> pd.DataFrame:
    """The wide form, or with `group` the long form.

    Raises
    ------
    AnswerError
        If there is no such parameter or grouping factor, or both are given.
    """
    if group is None:
        return parameters_frame(posterior, names)
    if names is not None:
        raise AnswerError(
            "names= chooses columns of the table that has a row per draw, group= asks for a row per draw and level: "
            "give one of them, and join both tables by chain and draw."
        )
    return levels_frame(posterior, group)


def parameters_frame(posterior: Posterior, names: Any = None) -> pd.DataFrame:
    """A row per draw: ``chain, draw``, then the parameters asked for, or all of them.

    Raises
    ------
    AnswerError
        If there is no such parameter.
    """
    chosen = _all_draws(posterior) if names is None else named_draws(posterior, names)
    return pd.DataFrame({**_places(posterior), **{name: values.reshape(-1) for name, values in chosen.items()}})


def _all_draws(posterior: Posterior) -> dict[str, np.ndarray]:
    """The chief parameters, then every other variable of the posterior: the effects, or rates, of groups."""
    common = {name: values.reshape(posterior.shape) for name, values in fixef_draws(posterior).items()}
    draws = {**common, **chief_draws(posterior)}
    others = [variable.name for variable in posterior.spec.variables() if variable.role == "effect"]
    for name in others:
        if name in posterior.dataset:
            draws.update(elements(posterior, name))
    return draws


def levels_frame(posterior: Posterior, group: str) -> pd.DataFrame:
    """A row per draw and level of a grouping factor: ``chain, draw``, the level, and the effect of each term.

    Raises
    ------
    AnswerError
        If there is no such grouping factor.
    """
    factors = factors_of(posterior, {})
    if group not in factors:
        there = f" The factors are {enumerate_names(factors)}." if factors else " The model has none."
        raise AnswerError(f"group={group!r} is no grouping factor.{did_you_mean(str(group), factors)}{there}")
    levels = factors[group].levels
    terms = {name: draws.reshape(-1) for name, draws in factors[group].columns()}
    places = {name: np.repeat(numbers, len(levels)) for name, numbers in _places(posterior).items()}
    name = f"{group}_" if group in terms else group
    return pd.DataFrame({**places, name: np.tile(levels.to_numpy(), posterior.size), **terms})


def _places(posterior: Posterior) -> dict[str, np.ndarray]:
    """The chain and the number of each draw, chains one after the other."""
    chains, draws = posterior.shape
    return {"chain": np.repeat(np.arange(chains), draws), "draw": np.tile(np.arange(draws), chains)}
