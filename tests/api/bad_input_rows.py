"""Rows of the table of bad input: a call, the class of its error, its culprit, and what its message says to do.

Rows are made of what people get wrong, by what they can get it wrong in: a name with a letter too few in each place
where a name can stand, a column of each wrong kind in each role. So culprit and remedy are known without the message:
the nearest name is the one that was misspelled.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import hiermod as hm
from hiermod.errors import (
    AnswerError,
    DataError,
    FormulaError,
    ModelError,
    PriorError,
    SamplingError,
    StorageError,
)
from hiermod.families.registry import FAMILIES
from hiermod.formula.vocabulary import FUNCTIONS
from hiermod.priors.distributions import DISTRIBUTIONS

SIZE = 24
RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({
    "score": RNG.normal(size=SIZE), "height": RNG.normal(size=SIZE), "months": RNG.gamma(3.0, size=SIZE) + 0.5,
    "treated": np.tile([0, 1], SIZE // 2), "country": np.repeat(list("abcdef"), 4), "school": np.tile(list("pqr"), 8),
    "trials": 10, "wins": RNG.integers(1, 9, SIZE), "events": RNG.poisson(3.0, SIZE), "share": RNG.uniform(0.1, 0.9, SIZE),
    "kind": np.tile(["dog", "cat"], SIZE // 2),
})  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A call on the shared fit, and what its error is."""

    what: str
    call: Callable[[Any], Any]
    error: type | tuple[type, ...]
    culprit: str
    remedy: str


def model(formula, family=None, data=None, **options):
    return lambda fit: hm.model(formula, ROWS if data is None else data, family, **options)


# ---- columns of a wrong kind, in each role that a column can have


def at(value, place=3):
    return lambda column: np.where(np.arange(SIZE) == place, value, column.astype(float))


KINDS = {
    "infinity": at(np.inf), "minus infinity": at(-np.inf), "nothing": lambda column: [np.nan] * SIZE,
    "None": lambda column: [None] * SIZE, "text": lambda column: np.tile(["low", "mid", "high"], 8),
    "mixed": lambda column: [1.5, "a"] * (SIZE // 2), "numbers as text": lambda column: [str(v) for v in range(SIZE)],
    "decimal commas": lambda column: ["1,5", "2,5"] * (SIZE // 2), "lists": lambda column: [[1]] * SIZE,
    "dates": lambda column: pd.date_range("2024-01-01", periods=SIZE), "complex": lambda column: [1 + 2j, 3] * (SIZE // 2),
    "bytes": lambda column: [b"x", b"z"] * (SIZE // 2), "durations": lambda column: pd.to_timedelta(range(SIZE), unit="s"),
    "dicts": lambda column: [{"a": 1}] * SIZE, "objects": lambda column: [object() for _ in range(SIZE)],
    "a word": lambda column: ["one"] * SIZE, "negative": lambda column: -np.arange(1.0, SIZE + 1.0),
    "fractions": lambda column: np.arange(1, SIZE + 1) / 3.0,
}  # fmt: skip
DO = (
    r"(?:^|[.:;] )(?:Make|Write|Replace|Fill|Leave|Name|Give|Measure|Correct|Round|Choose|Say|Add|Lower|Take|Drop|"
    r"A marker of what is missing has to be|Sums by exposure are|As numbers, with|Weights say|"
    r"Where (?:0 is|numbers below 0 are) possible|numbers, or 0/1 or booleans)"
)
ROLES = {
    "gaussian response": ("score", "score ~ height", "gaussian", {"negative", "fractions"}),
    "student response": ("score", "score ~ height", "student", {"negative", "fractions"}),
    "gamma response": ("months", "months ~ height", "gamma", {"fractions"}),
    "lognormal response": ("months", "months ~ height", "lognormal", {"fractions"}),
    "poisson response": ("events", "events ~ height", "poisson", set()),
    "negbinomial response": ("events", "events ~ height", "negbinomial", set()),
    "successes": ("wins", "wins/trials ~ height", "binomial", set()),
    "trials": ("trials", "wins/trials ~ height", "binomial", set()),
    "successes of cbind": ("wins", "cbind(wins, trials - wins) ~ height", "binomial", set()),
    "weights": ("trials", "treated | weights(trials) ~ height", "bernoulli", set()),
    "exposure": ("months", "events | rate(months) ~ height", "poisson", {"fractions"}),
    "offset": ("months", "events ~ offset(log(months))", "poisson", {"fractions"}),
    "logarithm": ("months", "score ~ log(months)", "gaussian", {"fractions"}),
    "root": ("months", "score ~ sqrt(months)", "gaussian", {"fractions"}),
    "polynomial": ("height", "score ~ poly(height, 2)", "gaussian", {"negative", "fractions"}),
    "intervals": ("height", "score ~ cut(height, 3)", "gaussian", {"negative", "fractions"}),
    "splines": ("height", "score ~ bs(height, df = 4)", "gaussian", {"negative", "fractions"}),
    "arithmetic": ("height", "score ~ I(height * 2)", "gaussian", {"negative", "fractions"}),
}  # fmt: skip
EMPTY = {"nothing", "None"}
ENDS = {"infinity": "Replace it by a number", "minus infinity": "Replace it by a number"}
ENDS |= dict.fromkeys(EMPTY, "Fill them, or leave that column out")
ENDS |= dict.fromkeys(("numbers as text", "decimal commas"), r"to_numeric|\.replace\(|decimal")


def of_columns():
    for role, (column, formula, family, fine) in ROLES.items():
        for kind, make in KINDS.items():
            if kind not in fine:
                data = ROWS.assign(**{column: make(ROWS[column])})
                call = model(formula, family, data)
                yield Row(f"{kind} as {role}", call, (DataError, FormulaError), f"{column}", ENDS.get(kind, DO))


# ---- names with a letter too few, wherever a name can stand


def misspelled(name):
    return name[:2] + name[3:]


PLACES = {
    "a predictor": "score ~ {}", "a sum": "score ~ height + {}", "an interaction": "score ~ treated:{}",
    "a product": "score ~ {} * treated", "a function": "score ~ log({})", "arithmetic": "score ~ I({}^2)",
    "an offset": "events ~ offset({})", "a group": "score ~ (1 | {})", "a slope": "score ~ (1 + {} | country)",
    "a nested group": "score ~ (1 | country/{})", "a response": "{} ~ 1",
    "successes": "{}/trials ~ 1", "trials": "wins/{} ~ 1", "weights": "score | weights({}) ~ 1", "a bracket": "score ~ ({})",
}  # fmt: skip


def of_misspelled_columns():
    for where, template in PLACES.items():
        for name in ("height", "months", "country", "school", "trials", "treated"):
            if template.count(name) == 0:
                formula = template.format(misspelled(name))
                yield Row(
                    f"{misspelled(name)} in {where}",
                    model(formula),
                    FormulaError,
                    misspelled(name),
                    rf"Did you mean.*'{name}'",
                )


def of_misspelled_functions():
    for name in sorted(FUNCTIONS):
        wrong = misspelled(name)
        if len(name) > 3 and "." not in name and wrong not in FUNCTIONS:
            call = model(f"score ~ {wrong}(height, 2)")
            yield Row(
                f"the function {wrong}",
                call,
                FormulaError,
                wrong,
                rf"Did you mean.*'{name}|register|hm\.|instead|nearest",
            )


def of_misspelled_families():
    for name in sorted(FAMILIES):
        wrong = misspelled(name)
        yield Row(f"the family {wrong}", model("score ~ 1", wrong), DataError, wrong, rf"Did you mean '{name}|'{name}'")
        yield Row(
            f"{name} with a link of another name", model("score ~ 1", f"{name}(lgit)"), DataError, "lgit", "link|It has"
        )


def of_misspelled_distributions():
    for name, record in DISTRIBUTIONS.items():
        arguments = ", ".join(["1"] * len(record.parameters))
        for wrong, culprit, remedy in (
            (f"{misspelled(name)}({arguments})", misspelled(name), rf"Did you mean.*'{name}'"),
            (f"{name}({arguments}, 7, 8, 9, 10)", name, name),
            (f"{name}(, {arguments})", name, f"reads like|{name}"),
            (f"{name}({arguments}", name, "reads like"),
            (f"{name}(1e300)", name, f"{name}|number"),
            (f"{name}(nan)", name, "reads like|number|finite"),
        ):
            yield Row(
                f"the prior {wrong}",
                model("score ~ height + (1 | country)", priors={"height": wrong}),
                PriorError,
                culprit,
                remedy,
            )


KEYS = ["Intercept", "slope", "height", "sd(1|country)", "cor", "sigma", "sd"]


def of_prior_keys():
    for key in KEYS:
        wrong = misspelled(key) if key != "sd" else "std"
        call = model("score ~ height + (1 + height | country)", priors={wrong: "Normal(0, 1)"})
        yield Row(f"the prior key {wrong}", call, PriorError, wrong, re.escape(key) if key != "sd" else "sd")
    for value in (
        1,
        1.5,
        None,
        True,
        ("Normal", 0, 1),
        {"Normal": 1},
        "",
        " ",
        "Normal",
        "0, 1",
        "~ Normal(0, 1)",
        b"Normal(0, 1)",
    ):
        call = model("score ~ height", priors={"height": value})
        yield Row(f"the prior {value!r}", call, PriorError, "height", r"reads like 'Normal\(0, 1.5\)'")
    for key, prior in (
        ("sigma", "Normal(-5, 0.1)"), ("sd", "HalfNormal(0)"), ("height", "Normal(0, -1)"), ("height", "Gamma(-1, 1)"),
        ("cor", "Normal(0, 1)"), ("sd", "LKJ(2)"), ("height", "Normal(0, 0)"), ("height", "Uniform(2, 1)"),
        ("Intercept", "StudentT(0, 0, 1)"), ("cor", "LKJ(-1)"), ("height", "flat()"), ("sigma", "Uniform(-2, -1)"),
    ):  # fmt: skip
        call = model("score ~ height + (1 + height | country)", priors={key: prior})
        yield Row(
            f"{prior} for {key}",
            call,
            PriorError,
            key,
            r"[Ww]rite|above|needed|takes|between|lower|HalfNormal|LKJ|Normal",
        )


# ---- settings and choices, before anything is sampled

WRONG_NUMBERS = [0, -1, 1.5, "a", True, float("nan"), [1], 2**63]


def fitted(**settings):
    return lambda fit: hm.fit("score ~ height", ROWS, progress=False, **settings)


def of_settings():
    for name in ("draws", "tune", "chains", "cores", "seed"):
        for value in WRONG_NUMBERS:
            if not (name == "seed" and value == 0 and value is not False):
                yield Row(
                    f"{name}={value!r}", fitted(**{name: value}), SamplingError, name, "a whole number from [01] on"
                )
    for value in (0, 1, 1.0, -0.5, "a", 2, float("nan"), [0.9]):
        yield Row(
            f"target_accept={value!r}", fitted(target_accept=value), SamplingError, "target_accept", "between 0 and 1"
        )


CHOICES = {
    "engine": (["compilde", "Compiled!", 1, None], "'compiled'", ModelError),
    "pooling": (["bta", "normall", 1], "'?(beta|normal|There is)", ModelError),
    "na": (["drp", "keep", 1, None], "'?drop", DataError),
    "compress": (["yes", 1, None], "True or False", ModelError),
    "intercept_at": (["men", "origin", 0], "mean|zero", ModelError),
}


def of_choices():
    for name, (values, remedy, error) in CHOICES.items():
        for value in values:
            yield Row(f"{name}={value!r}", fitted(**{name: value}), error, name, remedy)
    for value in ("yes", 1, None):
        call = lambda fit, value=value: hm.fit("score ~ height", ROWS, progress=value)  # noqa: E731
        yield Row(f"progress={value!r}", call, SamplingError, "progress", "True or False")


# ---- formulas that are none

FORMULAS = [
    ("score", "score", "'response ~ terms'"), ("score = height", "=", "'~' between"), ("~ height", "~", "response"),
    ("score ~ height ~ months", "~", "one response"), ("score ~ 1 | country", "|", r"\(1 \| g\)"),
    ("score ~ (1 | )", ")", "expected"), ("score ~ (country)+ (1 country)", "1 country", "bar|\\|"),
    ("score ~ height (1 | country)", "height", r"\+ is missing"), ("score ~ log(1 | country)", "log", r"\(log\(…\) \| …\)"),
    ("score ~ height > 3", ">", r"I\(x > 2\)"), ("score ~ 2", "2", "numbers in a sum"), ("score ~ x^y", "y", "whole number"),
    ("score ~ c(height, months)", "c", "holds"), ("score ~ (height", "(", "closed"), ("score ~ height)", ")", "joined by"),
    ("score ~ 'height'", "'height'", "term was expected"), ("score ~ `height", "`", "backtick"), ("score ~ 0", "0", "~ 1"),
    ("score ~ height - months", "months", "no term|before"), ("score ~ score", "score", "Take it out"),
    ("score ~ my col", "col", "backticks"), ("score ~ gp(height)", "gp", r"s\(x\)"),
    ("score ~ hsgp(height, m=9, c=2)", "hsgp(height", r"bambi\.Model"), ("score ~ s(treated)", "k = 10", "Write the column without"),
    ("score ~ s(height, months)", "s(", r"s\(height, by=months\)"), ("score ~ s(height, bs='cc')", "cc", "sin"),
    ("score ~ te(height, months)", "te", r"s\(a\) \+ s\(b\)"), ("score ~ s(height, by=1)", "by=1", "factor"),
    ("score ~ poly(height, degree = 2, degree = 3)", "degree", "twice"), ("score ~ C(country, foo)", "foo", "treatment, sum"),
    ("score ~ cut(height)", "cut", "breaks"), ("score ~ (1 | country) + (1 | country)", "(1 | country)", "Keep it in one"),
    ("score ~ (1 | country) * height", "*", r"'\+'"), ("score ~ height - (1 | country)", "(1 | country)", "Leave it out"),
    ("score | wieghts(trials) ~ 1", "wieghts", "weights"), ("score ~ offset()", "offset", "column|expected"),
    ("score ~ (height + (1 | country) | school)", "(", "bar|inside"), ("a/b/c ~ 1", "a/b/c", r"I\(|response"),
    ("wins/trials + 1 ~ 1", "+", "I|response|~"), ("score ~ .^", "^", "whole number|expected"),
    ("score ~ ar1(height | country)", "ar1", r"us\(x \| g\)"), ("score ~ if", "if", "."), ("score ~ height # note", "#", "meaning"),
]  # fmt: skip


def of_formulas():
    for formula, culprit, remedy in FORMULAS:
        if formula not in ("score ~ .^", "score ~ if"):
            yield Row(formula, model(formula), FormulaError, culprit, remedy)
    for value in (None, 1, 1.5, {"score": 1}, {}, object, True):
        yield Row(f"the formula {value!r}", model(value), FormulaError, type(value).__name__, "A formula is a text")


# ---- data that are none


def of_data():
    for value in (None, 1, 1.5, [1, 2], {"score": [1]}, {1}, object(), ROWS["score"], ROWS.to_numpy(), True):
        call = lambda fit, value=value: hm.model("score ~ height", value)  # noqa: E731
        yield Row(
            f"data of {type(value).__name__}", call, DataError, type(value).__name__, "data frame or a path|frame"
        )
    for path, remedy in (
        ("nowhere.csv", "no|not"), ("nowhere/*.parquet", "no"), ("https://a.b/c.csv", "pandas|read"), ("", "."),
        ("rows.xlsx", "read_excel|pandas|no"), ("a\0b.csv", "."), ("/dev/null", "read_csv"), ("rows.feather", "pandas|no"),
    ):  # fmt: skip
        call = lambda fit, path=path: hm.model("score ~ height", path)  # noqa: E731
        yield Row(f"data={path!r}", call, DataError, repr(path)[1:-1].split("*")[0], remedy)
    yield Row("no rows", model("score ~ height", data=ROWS.iloc[:0]), DataError, "no rows", "rows")
    yield Row(
        "a column twice",
        model("score ~ height", data=pd.concat([ROWS, ROWS[["height"]]], axis=1)),
        DataError,
        "height",
        "Rename one",
    )
    for name in ("chain", "draw", "sigma", "Intercept", "estimate", "lower", "upper", "contrast", "prob_beats"):
        data = ROWS.rename(columns={"height": name})
        yield Row(f"a column {name}", model(f"score ~ {name}", data=data), FormulaError, name, f"'{name}_'")


# ---- questions

SHARED = {
    "prob": ([0, 1, -1, 1.5, "a", None, True, 95], "prob", "between 0 and 1"),
    "groups": (["observd", "all", 1], "groups", "observed|typical"),
}
METHODS = {
    "rates": lambda fit, **given: fit.rates(**given),
    "rates of treated": lambda fit, **given: fit.rates("treated", **given),
    "effect": lambda fit, **given: fit.effect("treated", **given),
    "interaction": lambda fit, **given: fit.interaction("treated", "country", **given),
    "predict": lambda fit, **given: fit.predict(**given),
}  # fmt: skip
OF_ONE = {
    "effect": {
        "scale": (["lft", "percent", 1, None], "lift|difference|ratio"), "control": (["x", 7], "0|1"), "goal": (["up", 1], "max|min"),
        "rope": ([0.1, (1, 0), "a", (1,), [None, 1]], r"\(low, high\)"), "contrast": (["all", 1, {}], "contrast|pairs|given"),
        "threshold": (["a", float("inf"), True], "finite number"),
    },
    "interaction": {"between": (["all", 1, "par"], "'control', 'pairs'|pairs"), "contrast": (["all", "par"], "pairs")},
    "predict": {"kind": (["median", "men", 1, None], "mean|link|response")},
}  # fmt: skip


def asked(method, **given):
    return lambda fit: METHODS[method](fit, **given)


def of_questions():
    for method in METHODS:
        for name, (values, culprit, remedy) in SHARED.items():
            for value in values:
                yield Row(f"{method}({name}={value!r})", asked(method, **{name: value}), AnswerError, culprit, remedy)
        if method != "predict":
            for name in ("by", "where", "at"):
                for wrong, right in (("treatd", "treated"), ("contry", "country")):
                    value = wrong if name == "by" else {wrong: 1}
                    row = asked(method, **{name: value})
                    yield Row(f"{method}({name}={value!r})", row, AnswerError, wrong, f"Did you mean '{right}'")
    for method, arguments in OF_ONE.items():
        for name, (values, remedy) in arguments.items():
            for value in values:
                yield Row(f"{method}({name}={value!r})", asked(method, **{name: value}), AnswerError, name, remedy)
    for name in ("effect", "best", "pairwise", "prob_beats", "slopes"):
        for wrong, remedy in (("treatd", "'treated'"), ("contry", "'country'"), (1, "treated|text|name|column")):
            call = lambda fit, name=name, wrong=wrong: getattr(fit, name)(wrong)  # noqa: E731
            yield Row(f"{name}({wrong!r})", call, AnswerError, str(wrong), remedy)
    for statement, remedy in (
        ("treatd > 0", "'treated'"), ("treated", ">|<|compar"), ("treated = 0", "abs|probability"), ("treated > ", "expected"),
        ("> 0", "expected"), ("treated > 0 > 1", "abs|One"), ("foo(treated) > 0", "exp|abs|There is"), ("(treated > 0", r"\)|clos"),
        ("treated ** > 0", "expected"), ("1 > 0", "param|There is"), ("", "expected"), ("treated == 0", "abs|probability"),
    ):  # fmt: skip
        call = lambda fit, statement=statement: fit.hypothesis(statement)  # noqa: E731
        yield Row(
            f"hypothesis({statement!r})",
            call,
            (AnswerError, FormulaError),
            statement.split(" ")[0].split("(")[0],
            remedy,
        )
    for name in ("summary", "fixef", "varcorr", "shrinkage", "coef", "ranef"):
        for value in (0, 1, -1, 1.5, "a", True):
            if name in ("summary", "fixef", "varcorr", "shrinkage"):
                call = lambda fit, name=name, value=value: getattr(fit, name)(prob=value)  # noqa: E731
                yield Row(f"{name}(prob={value!r})", call, AnswerError, "prob", "between 0 and 1")
    for change, error, remedy in (
        ({"drws": 5}, ModelError, "draws"), ({"prior": {}}, ModelError, "priors"), ({"engine": "x"}, ModelError, "compiled"),
        ({"formula": "~ . + lenght"}, ModelError, "."), ({"draws": 0}, SamplingError, "from 1 on"),
    ):  # fmt: skip
        if "formula" not in change:
            call = lambda fit, change=change: fit.update(**change)  # noqa: E731
            yield Row(f"update({change})", call, error, next(iter(change)), remedy)


# ---- categories


def of_categories():
    rows = ROWS.assign(
        a=RNG.integers(1, 5, SIZE), b=RNG.integers(1, 5, SIZE), c=RNG.integers(1, 5, SIZE),
        rating=pd.Categorical(np.tile(["low", "mid", "high", "mid"], 6), ["low", "mid", "high"], ordered=True),
    )  # fmt: skip
    counts = "cbind(a, b, c) ~ treated"
    for text, changes, family, culprit, remedy in (
        (counts, {"a": -1}, None, "'a'", "has to be None"), (counts, {"b": "x"}, None, "'b'", "Name a column"),
        (counts, {"c": 0.5}, None, "'c'", "whole numbers"), (counts, {}, "binomial", "binomial", "family='categorical'"),
        (counts, {}, "gamma", "gamma", "family='categorical'"),
        ("cbind(a, b, c) | trials(trials) ~ treated", {}, None, "trials", "Add a column for the rest"),
        ("rating ~ treated", {}, None, "'rating'", "family='cumulative'"),
        ("rating ~ treated", {"rating": rows["rating"].astype(str)}, "cumulative", "'rating'", r"ordered\(rating, levels"),
        ("rating | cens(treated) ~ height", {}, "cumulative", "'rating'", "Leave what stands behind"),
        ("factor(a) ~ treated", {"a": rows["a"].astype(str) + "th"}, "cumulative", "factor(a)", r"ordered\(a, levels"),
        ("rating ~ treated; dics ~ treated", {}, "cumulative", "'dics'", "There is|has no|Its mean"),
    ):  # fmt: skip
        yield Row(f"{text} {changes} {family}"[:70], model(text, family, rows.assign(**changes)), (DataError, ModelError),
                  culprit, remedy)  # fmt: skip


# ---- files


def of_files():
    targets = [
        (None, "A path is needed", "None"), (1, "A path is needed", "1"), (b"x.nc", "A path is needed", "x.nc"),
        ("a\0b.nc", "no file's name", "b.nc"), ("b" * 300, "name too long|No file", "bbb"), ("/proc/x.nc", "No file", "/proc"),
        ("/dev/null", "Name another", "/dev/null"), ("missing/x.nc", "Make it first", "missing"), ("/", "such as", "/"),
    ]  # fmt: skip
    for path, remedy, culprit in targets:
        yield Row(f"save({path!r})", lambda fit, path=path: fit.save(path), StorageError, culprit, remedy)
        if path is not None:
            yield Row(f"file={path!r}"[:60], fitted(file=path), StorageError, culprit, remedy)
    for path in (None, 1, "nowhere.nc", "a\0b", ".", "b" * 300, __file__, "/dev/null"):
        yield Row(
            f"load({path!r})"[:60],
            lambda fit, path=path: hm.load(path),
            StorageError,
            "",
            "no file|No file|folder|not a|NetCDF|a fit is stored in a file",
        )


ALL = [
    row
    for kind in (
        of_columns, of_misspelled_columns, of_misspelled_functions, of_misspelled_families, of_misspelled_distributions,
        of_prior_keys, of_settings, of_choices, of_formulas, of_data, of_questions, of_categories, of_files,
    )
    for row in kind()
]  # fmt: skip
