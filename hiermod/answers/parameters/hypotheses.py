"""`hypothesis`: the posterior probability of statements about parameters, which go by readable names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hiermod.answers.answer import Answer, Question, check_prob, make_answer
from hiermod.answers.group_effects import standard_deviations
from hiermod.answers.parameters.estimates import fixef_draws, medians_remark, smooth_sds
from hiermod.answers.parameters.existence import Moments
from hiermod.answers.scales import PARAMETERS
from hiermod.data.columns.values import level_text
from hiermod.errors import AnswerError, did_you_mean
from hiermod.families.links import LINKS
from hiermod.formula.expressions import Arithmetic, Call, Column, Expression, Negative, Number
from hiermod.formula.hypotheses import Hypothesis, read_hypothesis
from hiermod.sampling.posterior import Posterior


def chief_draws(posterior: Posterior) -> dict[str, np.ndarray]:
    """Common coefficients, sds of groups and smooths, correlations, the family's parameters, or Beta's two.

    Each has the shape ``(chains, draws)``.
    """
    draws = fixef_draws(posterior, wiggles=False)
    spec = posterior.spec
    for term in spec.groups:
        draws.update(zip(term.sd_keys(), standard_deviations(posterior, term).T, strict=True))
        if term.correlated:
            draws.update(zip(term.correlation_keys(), posterior.values(term.correlation_name).T, strict=True))
    draws.update(smooth_sds(posterior))
    draws.update({name: posterior.values(name) for name in spec.scalars})
    if not draws:  # rates that are not pooled are all there is
        for variable in spec.variables():
            names = [f"{variable.name}[{label}]" for label in variable.labels[0]]
            draws.update(zip(names, posterior.values(variable.name).T, strict=True))
    return {name: values.reshape(posterior.shape) for name, values in draws.items()}


def named_draws(posterior: Posterior, names: Any) -> dict[str, np.ndarray]:
    """Draws of the parameters asked for, shape ``(chains, draws)``.

    Parameters
    ----------
    names : str or list of str
        Names as in `chief_draws`, variables of the posterior (all their elements), or elements: ``1|country[Canada]``.

    Raises
    ------
    AnswerError
        If there is no such parameter.
    """
    chief = chief_draws(posterior)
    variables = [str(name) for name in posterior.dataset.data_vars]
    draws: dict[str, np.ndarray] = {}
    for name in [names] if isinstance(names, str) else list(names):
        variable = next((known for known in variables if str(name) == known or str(name).startswith(f"{known}[")), None)
        parts = elements(posterior, variable) if variable else {}
        if name in chief:
            draws[name] = chief[name]
        elif name == variable:
            draws.update(parts)
        elif name in parts:
            draws[name] = parts[name]
        else:
            near = did_you_mean(str(name), list(dict.fromkeys([*chief, *variables])))
            raise AnswerError(f"There is no parameter {name!r}.{near}")
    if not draws:
        raise AnswerError("names= is empty: name a parameter, or leave names= out for the chief ones.")
    return draws


def elements(posterior: Posterior, variable: str) -> dict[str, np.ndarray]:
    """Each element of a variable by name, such as ``1|country[Canada]``."""
    array = posterior.dataset[variable].transpose("chain", "draw", ...)
    if array.ndim == 2:
        return {variable: array.values}
    labels = next(known.labels for known in posterior.spec.variables() if known.name == variable)
    axes, values = [[level_text(label) for label in axis] for axis in labels], array.values
    return {
        f"{variable}[{', '.join(axis[i] for axis, i in zip(axes, index, strict=True))}]": values[(..., *index)]
        for index in np.ndindex(*array.shape[2:])
    }


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
    """Each statement with the estimate of what it compares, its probability, and how far apart its sides are."""
    check_prob(prob)
    if not isinstance(texts, str | list | tuple) or not all(isinstance(text, str) for text in texts):
        raise AnswerError(f"{texts!r} is no hypothesis: write one such as 'treated > 0', or a list of them.")
    draws = parameter_draws(posterior)
    hypotheses = [read_hypothesis(text, draws) for text in ([texts] if isinstance(texts, str) else list(texts))]
    if not hypotheses:
        raise AnswerError("There is no hypothesis: write one such as 'treated > 0'.")
    differences = np.stack([_difference(one, draws) for one in hypotheses])
    held = np.stack([OPERATORS[one.sign](row, 0.0).mean() for one, row in zip(hypotheses, differences, strict=True)])
    with np.errstate(over="ignore"):
        values = np.stack([np.asarray(_value(one.quantity, draws), dtype=float) for one in hypotheses])
    keys = pd.DataFrame({"hypothesis": [one.text for one in hypotheses]})
    with np.errstate(divide="ignore"):
        odds = held / (1.0 - held)
    moments = Moments.of(posterior.spec, *(side for one in hypotheses for side in (one.left, one.right)))
    powers = np.array([moments.power(one.quantity) for one in hypotheses])
    apart = np.array([min(moments.power(one.left), moments.power(one.right)) <= 1.0 for one in hypotheses])
    with np.errstate(over="ignore", invalid="ignore"):
        middle = np.where(apart, np.median(differences, axis=1), differences.mean(axis=1))
    columns = {"probability": held, "evidence_ratio": odds, "difference": middle}
    medians = [one.text for one, power in zip(hypotheses, powers, strict=True) if power <= 1.0]
    remark = medians_remark(medians)
    question = Question("hypothesis", PARAMETERS, prob=check_prob(prob), remark=remark)
    answer = make_answer(values, keys, posterior.shape, question, "hypothesis", columns=columns)
    answer.table.loc[powers <= 1.0, "estimate"] = np.median(values[powers <= 1.0], axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        answer.table.insert(2, "sd", np.where(powers <= 2.0, np.nan, values.std(axis=1, ddof=1)))
    return answer


def parameter_draws(posterior: Posterior) -> dict[str, np.ndarray]:
    """Draws of all parameters, shape ``(draws,)``: by the names of tables, and each element of other variables.

    ``sd(Intercept|g)`` is ``sd(1|g)``, and correlations have their columns in either order.
    """
    by_name: dict[str, np.ndarray] = dict(chief_draws(posterior))
    for name, values in list(by_name.items()):
        if name.startswith("sd(1|"):
            by_name[f"sd(Intercept|{name.removeprefix('sd(1|')}"] = values
        if name.startswith("cor(") and name.count(", ") == 1:
            inside, _, group = name.removeprefix("cor(").rpartition("|")
            by_name[f"cor({', '.join(reversed(inside.split(', ')))}|{group}"] = values
    for variable in posterior.dataset.data_vars:
        for name, values in elements(posterior, str(variable)).items():
            by_name.setdefault(name, values)
    return {name: np.asarray(values, dtype=float).reshape(-1) for name, values in by_name.items()}


def _difference(statement: Hypothesis, draws: dict[str, np.ndarray]) -> np.ndarray:
    with np.errstate(all="ignore"):
        difference = _value(statement.left, draws) - _value(statement.right, draws)
    wrong = int(np.sum(np.isnan(difference)))
    if wrong:
        raise AnswerError(f"The hypothesis {statement.text!r} has no value in {wrong:,} of {len(difference):,} draws.")
    return difference


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
