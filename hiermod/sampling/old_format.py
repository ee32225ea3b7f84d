"""Stored fits of format 3, whose history was told in notices alone; no other file knows their names."""

from __future__ import annotations

import re
from typing import Any

FORMAT = 3
RESPONSES = {
    "BinomialCells": "trials", "CountCells": "count", "RealCells": "real", "MomentCells": "moments",
    "ValueCells": "values", "PairCells": "pairs",
}  # fmt: skip
ENGINE = re.compile(r"engine: (?P<name>compiled|PyMC)(?: \((?P<reason>.*)\))?", re.DOTALL)
RERUN = re.compile(
    r"sampled again with (?:target_accept (?P<target_accept>[\d.e-]+))?(?: and )?(?:(?P<draws>\d+) draws)? "
    r"\((?:(?P<divergences>\d+) divergences?)?(?:, )?(?:R-hat (?P<rhat>[\d.]+|nan|inf), ESS (?P<ess>-?\d+|nan|inf))?\)"
)
FAILED = re.compile(r"the rerun failed, so that the run before is kept: (?P<failure>.*)", re.DOTALL)
KEPT = re.compile(r"kept run (?P<kept>\d+) of \d+, .*")
INTERRUPTED = re.compile(r"interrupted: .*")


def upgraded(metadata: dict[str, Any]) -> dict[str, Any]:
    """Metadata of format 3 under today's names."""
    cells = {**metadata["cells"], "response": RESPONSES[metadata["cells"]["response"]]}
    history = _history(metadata["run_notices"], metadata["asked"], metadata["settings"])
    return {**metadata, "cells": cells, "history": history}


def _history(notices: list[str], asked: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any] | None:
    """What the notices of a run say; None where they name no engine, since hiermod did not sample then."""
    engine = next(_matches(ENGINE, notices), None)
    if engine is None:
        return None
    reruns = [_rerun(found) for found in _matches(RERUN, notices)]
    failure = next((found["failure"] for found in _matches(FAILED, notices)), "")
    kept = next((int(found["kept"]) for found in _matches(KEPT, notices)), 1 + len(reruns) - bool(failure))
    interrupted = any(_matches(INTERRUPTED, notices))
    if interrupted:
        kept = _kept_of_interrupted(reruns, asked, settings)
    return {
        "asked": asked,
        "engine": {"name": engine["name"].lower(), "reason": engine["reason"] or ""},
        "reruns": reruns, "failure": failure, "kept": kept, "interrupted": interrupted,
    }  # fmt: skip


def _matches(pattern: re.Pattern[str], notices: list[str]) -> Any:
    return filter(None, map(pattern.fullmatch, notices))


def _rerun(found: re.Match[str]) -> dict[str, Any]:
    figures = {name: None if found[name] is None else float(found[name]) for name in ("rhat", "ess")}
    return {
        "trouble": {"divergences": int(found["divergences"] or 0), **figures},
        "target_accept": None if found["target_accept"] is None else float(found["target_accept"]),
        "draws": None if found["draws"] is None else int(found["draws"]),
    }


def _kept_of_interrupted(reruns: list[dict[str, Any]], asked: dict[str, Any], settings: dict[str, Any]) -> int:
    """The run that was sampled with the settings that are kept: each rerun raised one of two."""
    kept, draws, target = 1, asked["draws"], None
    for place, rerun in enumerate(reruns, start=2):
        draws, target = rerun["draws"] or draws, rerun["target_accept"] or target
        if draws == settings["draws"] and target in (None, settings["target_accept"]):
            kept = place
    return kept
