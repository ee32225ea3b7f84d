"""Input as nobody should write it: good texts, files and frames, with places changed, doubled, cut and swapped."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd

from hiermod.families.names import LINKS
from hiermod.families.registry import RECORDS
from hiermod.priors.distributions import DISTRIBUTIONS

PIECES = [
    *"~+-*/:|()`,.^=[]{}'\"%01 9xyzgsn_\\#!&@;<>\n\t", "||", "**", "%in%", "y ~ x", "(1 | g)", "log(", "poly(x, 2)",
    "I(", "offset(", "cbind(", "p(", "trials(", "weights(", "c(", "C(g, sum)", "TRUE", "1e9", "é", "变", "\x00", "🙂",
    "__class__", "__import__('os').system('x')", "lambda: 0", "import os", "exec(", "eval(", "().__class__.__base__",
    "x.__globals__", "9**9**9", "os.system", "{x}", "[0]", "y['a']", "`a b`", "1e999", "-0", "\u202e", "\ud7ff", "‚",
    " ~ ", "((((((((", "))))))))", "1" * 400, "x:" * 50,
]  # fmt: skip
FORMULAS = [
    "y ~ x + (1 + x | g)", "s/n ~ (1 | v)", "cbind(s, n - s) ~ poly(x, 2) * f + (f || g/h)", "y | trials(n) ~ 0 + x:f",
    "log(y) ~ bs(x, df = 5) + offset(log(e)) + (1 | g:h)", "y['yes'] ~ . - z", "y ~ I(x^2 > 3) + cut(x, c(0, 1))",
    "y | rate(e) + weights(w) ~ C(f, contr.sum)^2 + (0 + x | g)", "p(s, n) ~ relevel(f, ref = 'b') %in% g",
    "y ~ scale(x) + (1 | id | g) + us(x | h)", "y ~ mo(x) + s(z)", "bf(y ~ x, sigma ~ z)", "y ~ x\nsigma ~ (1 | g)",
    "y | cens(c, y2) ~ s(x, by = f, k = 5, bs = 'ps')", "Surv(t, e) ~ mo(x)*z", "y | trunc(lb = 0, ub = 9) ~ x",
    "cbind(a, b, c) | trials(n) ~ x + (1 | g)", "y ~ x; disc ~ 0 + z; hu ~ (1 | p | g)", "y | se(s, sigma = TRUE) ~ 1",
    "y ~ x + (1 | gr(g, by = f)), ziformula = ~ z, dispformula = ~ f", "bf(y | rate(e) ~ x, zi ~ z, nl = FALSE)",
]  # fmt: skip
PARAMETERS = ["treated", "Intercept", "sd(1|g)", "cor(Intercept, x|g)", "period[2]", "sigma", "a b", "x:y", "log(x)"]
STATEMENTS = [
    "treated > 0", "exp(treated) > 1.1", "abs(period[2] - treated) < 0.1", "sd(1|g)^2 / (sd(1|g)^2 + pi^2 / 3) > 0.2",
    "`a b` + 2 * x:y <= inv_logit(Intercept)", "cor(Intercept, x|g) < -0.3", "-(sigma) >= -1e3",
]  # fmt: skip
COMPARISONS = b"""data = "t.csv"
models = ["y ~ x", "name=y ~ 1"]
seed = 1
draws = 500
out = "o.csv"
fits = "f"
[comparisons.one]
family = "poisson"
method = "kfold"
k = 10
[comparisons.two]
data = "u.parquet"
models = {a = "y ~ x", b = "y ~ 1"}
by = ["g", "h"]
score = "crps"
max_refits = 3
"""
TOML_PIECES = [
    b"[", b"]", b"[[", b"=", b'"', b"'", b"\n", b"1e999", b"nan", b"true", b"{", b"}", b"[comparisons.", b"..",
    b"\xff", b"\x00", b"[" * 400, b"1" * 5000, b"models = []", b"k = -1", b"draws = 0", b"1979-05-27", b"\xe2\x80\xae",
]  # fmt: skip
CSV_PIECES = [
    b",", b";", b"\n", b"\r\n", b'"', b"\t", b"\x00", b"\xff\xfe", b"1e999", b"-", b"NA", b"1,5", b"=1+1", b"\xe9",
    b" " * 300, b"0" * 300, b"inf", b"true", b"2024-01-31", b"\xef\xbb\xbf", b"y", b"x,x", b"9" * 25, b"'", b"12%",
]  # fmt: skip
FAMILIES = [None, *LINKS, *(f"{name}({links[-1]})" for name, links in LINKS.items() if len(links) > 1),
            "hurdle_gamma(hu=probit)", "bernoulli(cauchit)", "zip"]  # fmt: skip
NAMES = ["y", "s", "n", "x", "z", "f", "g", "h", "b", "t"]
TERMS = [
    "x", "z", "f", "g", "b", "t", "x:f", "x*z", "log(x)", "poly(x, 2)", "bs(x, df = 4)", "cut(z, 3)", "factor(z)",
    "scale(x)", "I(x^2)", "I(x > 0)", "C(f, sum)", "relevel(f, ref = 'a')", "(1 | g)", "(1 + x | g)", "(0 + f || h)",
    "(1 | g/h)", "(x | g:h)", "offset(x)", "offset(log(n))", "0", "-1", ".", "b:f", "round(x)", "sqrt(z)", "1/x",
    "s(x)", "s(z, k=4, bs='ps')", "s(x, by=f)", "s(x, by=z, k=5)", "mo(z)", "mo(s)*x", "mo(s):mo(n)", "mo(f)", "s(f)",
    "(mo(s) | g)", "s(x, k=1)", "s(x, m=c(2, 9))", "s(x, by=g, bs='cr')", "mo(ordered(f))", "(1 | gr(g, by = f))",
]  # fmt: skip
RESPONSES = [
    "y", "s/n", "cbind(s, n)", "log(y)", "s | trials(n)", "b", "t", "f", "y | weights(n)", "p(s, n)", "f['a']", "s",
    "cbind(s, n, z)", "cbind(s, n, z) | trials(n)", "c(s, b, n)", "y | cens(b)", "y | cens(t)", "y | cens(s, z)",
    "y | cens(f)", "y | trunc(lb = 0)", "y | trunc(ub = z)", "Surv(y, b)", "y | se(x)", "y | se(n, sigma = TRUE)",
    "s | rate(n)", "y | weights(n, type = 'precision')", "y | cens(b) + trunc(lb = 0) + weights(n)", "y | cens(x, g)",
]  # fmt: skip
FAMILY_PARAMETERS = {name: [own.name for own in record.parameters] for name, record in RECORDS.items()}
FITTING = {  # families of responses, which most cases take
    **dict.fromkeys(("y", "y | cens(b)", "y | cens(t)", "Surv(y, b)", "y | trunc(lb = 0)"), (
        "gaussian", "student", "gamma", "lognormal", "weibull", "exponential", "exgaussian", "shifted_lognormal")),
    **dict.fromkeys(("s", "z", "s | rate(n)"), (
        "poisson", "negbinomial", "geometric", "nbinom1", "zero_inflated_poisson", "zero_inflated_negbinomial",
        "hurdle_poisson", "hurdle_negbinomial", "cumulative", "acat", "sratio", "cratio", "hurdle_gamma")),
    **dict.fromkeys(("s/n", "s | trials(n)"), (
        "binomial", "beta_binomial", "zero_inflated_binomial", "zero_inflated_beta_binomial")),
    **dict.fromkeys(("cbind(s, n, z)", "f", "g"), ("categorical", "cumulative", "sratio(probit)")),
    "I(1/n)": ("beta", "zero_one_inflated_beta", "beta(cloglog)"), "b": ("bernoulli", "bernoulli(log)"),
}  # fmt: skip
FURTHER = ["sigma", "alpha", "phi", "zi", "hu", "disc", "nu", "kappa", "shape", "beta", "zoi", "coi", "ndt", "mu", "q"]


def _edited(rng: random.Random, text: Any, pieces: list[Any]) -> Any:
    """Some edits of a text, or of bytes: put in, take away, double, cut, swap."""
    for _ in range(rng.choice([0, 1, 1, 2, 3, 8])):
        here, there = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        short = min(there, here + 6)
        edit = rng.randrange(5)
        if edit == 0:
            text = text[:here] + rng.choice(pieces) + text[here:]
        elif edit == 1:
            text = text[:here] + text[short:]
        elif edit == 2:
            text = text[:there] + text[here:there] + text[there:]
        elif edit == 3:
            text = text[:here] + rng.choice(pieces) + text[short:]
        elif rng.random() < 0.2:
            text = text[:there]
    return text


def _soup(rng: random.Random, most: int) -> str:
    return "".join(rng.choices(PIECES, k=rng.randint(1, most)))


def formula(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.02:
        return rng.choice(
            ["y ~ " + rng.choice(["x + ", "x:", "(", "x^2 + ", "(1 | g) + ", "-", "log("]) * rng.randint(1, 3000)]
        )
    return _soup(rng, 25) if kind < 0.4 else _edited(rng, rng.choice(FORMULAS), PIECES)


def prior(rng: random.Random) -> Any:
    if rng.random() < 0.02:
        return rng.choice([None, 1, 1.5, b"Normal(0, 1)", ["Normal(0, 1)"], {}, True, object()])
    record = rng.choice(list(DISTRIBUTIONS.values()))
    numbers = ["0", "1", "2.5", "-1", "1e-100", "1e100", "1e-99", "9e99", "0.5", "inf", "nan", "1e400", "1e-400", "3"]
    arguments = ", ".join(rng.choice(numbers) for _ in record.parameters)
    bounds = rng.choice(["", "", ", lower=0", ", upper=1", ", lower=-1, upper=1e50", ", lower=5, upper=4"])
    text = f"{record.name}({arguments}{bounds})"
    return text if rng.random() < 0.5 else _edited(rng, text, [*PIECES, "lower=", "upper=", "# a source", *numbers])


def statement(rng: random.Random) -> str:
    if rng.random() < 0.02:
        return rng.choice(["treated + ", "(", "-", "2^", "exp(", "period[2] * "]) * rng.randint(1, 2500) + "treated > 0"
    return _soup(rng, 20) if rng.random() < 0.3 else _edited(rng, rng.choice(STATEMENTS), [*PIECES, *PARAMETERS])


def toml(rng: random.Random) -> bytes:
    return bytes(_edited(rng, COMPARISONS, TOML_PIECES))


def csv(rng: random.Random) -> bytes:
    numbers = np.random.default_rng(rng.randrange(2**32))
    rows = rng.choice([3, 30, 300])
    columns = {
        "y": numbers.normal(size=rows).round(3),
        "x": numbers.integers(0, 9, rows),
        "g": list("abç") * (rows // 3),
    }
    return bytes(_edited(rng, pd.DataFrame(columns).to_csv(index=False).encode(), CSV_PIECES))


def damaged(rng: random.Random, content: bytes, resealed: bool) -> bytes:
    """A file with bits flipped, cut, or bytes put in; sealed again, as by somebody who knows how, if that is asked."""
    from hashlib import sha256

    from hiermod.sampling.files import LENGTH, SEAL

    body = bytearray(content[:-LENGTH] if resealed else content)
    for _ in range(rng.choice([1, 1, 2, 20])):
        edit, place = rng.randrange(4), rng.randrange(len(body))
        if edit < 2:
            body[place] ^= 1 << rng.randrange(8)
        elif edit == 2:
            body[place : place + 8] = rng.randbytes(8)
        elif rng.random() < 0.3:
            del body[place:]
            body += b"\0"
    return bytes(body) + (SEAL + sha256(body).hexdigest().encode() if resealed else b"")


def _column(rng: random.Random, rows: int) -> Any:
    numbers = np.random.default_rng(rng.randrange(2**32))
    ones = numbers.normal(size=rows)
    kinds: list[Any] = [
        lambda: ones, lambda: ones * 1e-300, lambda: ones * 1e300, lambda: np.where(ones > 1.5, np.nan, ones),
        lambda: np.where(ones > 2, np.inf, ones), lambda: numbers.integers(0, 3, rows), lambda: np.abs(ones) + 0.1,
        lambda: numbers.integers(0, 2, rows), lambda: numbers.integers(0, 2, rows).astype(bool), lambda: np.ones(rows),
        lambda: numbers.choice(["a", "b", "c"], rows), lambda: pd.Categorical(numbers.choice(["a", "b"], rows)),
        lambda: [f"u{place}" for place in range(rows)], lambda: numbers.choice(["1", "2", "x", ""], rows),
        lambda: pd.array(numbers.integers(0, 5, rows), dtype="Int64"), lambda: [None] * rows, lambda: np.zeros(rows),
        lambda: pd.date_range("2024-01-01", periods=rows), lambda: numbers.integers(-2, 9, rows) * 10**15,
        lambda: [1 + 2j] * rows, lambda: [[1, 2]] * rows, lambda: numbers.choice(["\x1b[31m", "\u202e", "a\nb"], rows),
        lambda: pd.Categorical(numbers.choice([1.5, 2.5], rows)), lambda: pd.to_timedelta(np.arange(rows), unit="s"),
        lambda: [{"a": 1}] * rows, lambda: [b"bytes"] * rows, lambda: np.float32(ones), lambda: [True, None] * (rows // 2),  # noqa: E501
        lambda: pd.array(["a", None] * (rows // 2), dtype="string"), lambda: numbers.integers(0, 60, rows),
    ]  # fmt: skip
    return rng.choice(kinds)()


def _plain(rng: random.Random, name: str, rows: int) -> Any:
    """A column as one of this name should be."""
    numbers = np.random.default_rng(rng.randrange(2**32))
    kinds: dict[str, Any] = {
        "y": lambda: numbers.gamma(2.0, size=rows), "s": lambda: numbers.integers(0, 5, rows),
        "n": lambda: numbers.integers(5, 9, rows), "x": lambda: numbers.normal(size=rows) + 3.0,
        "z": lambda: numbers.integers(1, 20, rows), "b": lambda: numbers.integers(0, 2, rows),
        "t": lambda: numbers.choice(["no", "yes"], rows),
    }  # fmt: skip
    return kinds.get(name, lambda: numbers.choice(list("abc"), rows))()


def frame(rng: random.Random) -> pd.DataFrame:
    """A table whose columns are mostly as they should be."""
    rows, wild = rng.choice([0, 2, 6, 40, 40, 200]), rng.choice([0.0, 0.1, 0.5])
    columns = {
        name: _column(rng, rows) if rng.random() < wild else _plain(rng, name, rows)
        for name in NAMES
        if rng.random() < 0.98
    }
    return pd.DataFrame(columns, index=rng.choice([None, list(range(rows))[::-1]]) if rows else None)


def formula_of_columns(rng: random.Random) -> tuple[str, str | None]:
    """A formula of the columns of `frame`, at times with linear predictors of other parameters, and a family."""
    if rng.random() < 0.7:
        response = rng.choice(list(FITTING))
        family = rng.choice(FITTING[response])
    else:
        response, family = rng.choice(RESPONSES), rng.choice([None, rng.choice(FAMILIES)])
    own = FAMILY_PARAMETERS.get(str(family).split("(")[0], []) if rng.random() < 0.9 else FURTHER
    whole = f"{response} ~ {_terms(rng)}"
    for _ in range(rng.choice([0, 0, 1, 2]) if own else 0):
        whole += f"; {rng.choice(own)} ~ {_terms(rng)}"
    return whole + rng.choice(
        ["", "", "", "", f", ziformula = ~ {_terms(rng)}", f", dispformula = ~ {_terms(rng)}"]
    ), family


def _terms(rng: random.Random) -> str:
    return " + ".join(rng.sample(TERMS, k=rng.choice([1, 1, 1, 2, 3])))
