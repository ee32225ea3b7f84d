"""`hypothesis`: the posterior probability of statements about parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, Question, check_prob, make_answer
from hiermod.answers.parameters.names import chief_draws, elements
from hiermod.answers.scales import PARAMETERS
from hiermod.errors import AnswerError
from hiermod.families.links import LINKS
from hiermod.formula.expressions import Arithmetic, Call, Column, Expression, Negative, Number
from hiermod.formula.hypotheses import Hypothesis, read_hypothesis
from hiermod.sampling.posterior import Posterior

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "^": np.power,
    ">": np.greater, "<": np.less, ">=": np.greater_equal, "<=": np.less_equal,
}  # fmt: skip
EXPIT, LOGIT = LINKS["logit"].inverse, LINKS["logit"].forward
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "abs": np.abs, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "logit": LOGIT, "qlogis": LOGIT,
    "expit": EXPIT, "inv_logit": EXPIT, "plogis": EXPIT,
}  # fmt: skip


def hypothesis(posterior: Posterior, texts: str | Sequence[str], prob: float) -> Answer:
    """Each statement with the estimate of its left less its right side, and its probability."""
    check_prob(prob)
    if not isinstance(texts, str | list | tuple) or not all(isinstance(text, str) for text in texts):
        raise AnswerError(f"{texts!r} is no hypothesis: write one such as 'treated > 0', or a list of them.")
    draws = parameter_draws(posterior)
    asked = [read_hypothesis(text, draws) for text in ([texts] if isinstance(texts, str) else list(texts))]
    if not asked:
        raise AnswerError("There is no hypothesis: write one such as 'treated > 0'.")
    values = np.stack([_difference(one, draws) for one in asked])
    held = np.stack([OPERATORS[one.sign](row, 0.0).mean() for one, row in zip(asked, values, strict=True)])
    keys = pd.DataFrame({"hypothesis": [one.text for one in asked]})
    with np.errstate(divide="ignore"):
        odds = held / (1.0 - held)
    columns = {"probability": held, "evidence_ratio": odds}
    question = Question("hypothesis", PARAMETERS, prob=check_prob(prob))
    answer = make_answer(values, keys, posterior.shape, question, "hypothesis", columns=columns)
    answer.table.insert(2, "sd", values.std(axis=1, ddof=1))
    return answer


def parameter_draws(posterior: Posterior) -> dict[str, np.ndarray]:
    """Draws of all parameters, shape ``(draws,)``: by the names of tables, and each element of other variables.

    ``sd(Intercept|g)`` is ``sd(1|g)``, and correlations have their columns in either order.
    """
    found: dict[str, np.ndarray] = dict(chief_draws(posterior))
    for name, values in list(found.items()):
        if name.startswith("sd(1|"):
            found[f"sd(Intercept|{name.removeprefix('sd(1|')}"] = values
        if name.startswith("cor(") and name.count(", ") == 1:
            inside, _, group = name.removeprefix("cor(").rpartition("|")
            found[f"cor({', '.join(reversed(inside.split(', ')))}|{group}"] = values
    for variable in posterior.dataset.data_vars:
        for name, values in elements(posterior, str(variable)).items():
            found.setdefault(name, values)
    return {name: np.asarray(values, dtype=float).reshape(-1) for name, values in found.items()}


def _difference(asked: Hypothesis, draws: dict[str, np.ndarray]) -> np.ndarray:
    with np.errstate(all="ignore"):
        found = _value(asked.left, draws) - _value(asked.right, draws)
    wrong = int(np.sum(~np.isfinite(found)))
    if wrong:
        raise AnswerError(f"The hypothesis {asked.text!r} has no value in {wrong:,} of {len(found):,} draws.")
    return found


def _value(expression: Expression, draws: dict[str, np.ndarray]) -> Any:
    match expression:
        case Column(name):
            return draws[name]
        case Number(value):
            return value
        case Negative(operand):
            return -_value(operand, draws)
        case Arithmetic(operator, left, right):
            return OPERATORS[operator](_value(left, draws), _value(right, draws))
        case Call(function, (argument,)):
            return FUNCTIONS[function](_value(argument, draws))
    raise AssertionError(expression)
