"""What ``hiermod fit --json`` prints: one object, in which numbers that are none, or infinite, are null."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from hiermod.answers.answer import Answer
from hiermod.cli.comparisons import plain
from hiermod.interface.fit import Fit
from hiermod.show.sentences import effect_sentences


def fit_as_json(fit: Fit, rates: Answer | None, effect: Answer | None, prob: float) -> str:
    """The fit, whether it converged, and its answers; each answer says so too."""
    report, summary = fit.check(), fit.summary(prob)
    whole: dict[str, Any] = {
        "formula": fit.formula,
        "family": fit.model.family,
        "converged": report.converged,
        "checks": _records(report.table),
        "fixed": _records(summary.fixed.reset_index(names="term")),
        "random": _records(summary.random.reset_index()),
    }
    if rates is not None:
        whole["rates"] = _answer(rates, report.converged)
    if effect is not None:
        whole["effect"] = {**_answer(effect, report.converged), "sentences": effect_sentences(effect)}
    return json.dumps({**whole, "notices": list(fit.notices)}, indent=2)


def _answer(answer: Answer, converged: bool) -> dict[str, Any]:
    said = {"scale": answer.question.scale.name, "remark": answer.question.remark, "converged": converged}
    return {**said, "rows": _records(answer.table)}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): _value(value) for key, value in row.items()} for row in table.to_dict("records")]


def _value(value: Any) -> Any:
    """A value that JSON has; dates and the like as they are written."""
    value = plain(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
