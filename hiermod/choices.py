"""The words that arguments take, for type checkers, for the checks at run time and for the command line alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

Pooling = Literal["normal", "beta", "gamma", "none"]
Missing = Literal["drop", "error"]
Engine = Literal["auto", "compiled", "pymc"]
InterceptAt = Literal["mean", "zero"]
Match = Literal["StudentT", "Normal"]

Reading = Literal["observed", "typical", "new", "population"]
Groups = Reading | Mapping[str, Reading]  # of all grouping factors, or by factor
Pairing = Literal["control", "pairs", "sequential", "mean"]
Contrast = Pairing | Mapping[str, Mapping[Any, float]]
Scale = Literal["difference", "ratio", "lift", "odds_ratio", "link"]
SlopeScale = Literal["response", "link"]
Goal = Literal["max", "min"]
Kind = Literal["mean", "link", "response"]
Outcome = str | float | Mapping[Any, float]  # mean, median, q90, zero, >30, 4, {"good": 1, "bad": 0}
Residual = Literal["response", "pearson", "quantile"]
Picture = Literal["density", "rootogram", "bars"]
AnswerPicture = Literal["forest", "curve", "ridges", "stacked"]
RowOrder = Literal["auto", "estimate", "level"]

Method = Literal["loo", "kfold", "logo"]
Score = Literal["joint", "rows"]

POOLINGS: tuple[str, ...] = get_args(Pooling)
MISSING: tuple[str, ...] = get_args(Missing)
ENGINES: tuple[str, ...] = get_args(Engine)
MATCHES: tuple[str, ...] = get_args(Match)
INTERCEPT_POINTS: tuple[str, ...] = get_args(InterceptAt)
GROUPS: tuple[str, ...] = get_args(Reading)
PAIRINGS: tuple[str, ...] = get_args(Pairing)
SCALES: tuple[str, ...] = get_args(Scale)
SLOPE_SCALES: tuple[str, ...] = get_args(SlopeScale)
GOALS: tuple[str, ...] = get_args(Goal)
KINDS: tuple[str, ...] = get_args(Kind)
RESIDUALS: tuple[str, ...] = get_args(Residual)
PICTURES: tuple[str, ...] = get_args(Picture)
ANSWER_PICTURES: tuple[str, ...] = get_args(AnswerPicture)
ROW_ORDERS: tuple[str, ...] = get_args(RowOrder)
METHODS: tuple[str, ...] = get_args(Method)
SCORES: tuple[str, ...] = get_args(Score)
