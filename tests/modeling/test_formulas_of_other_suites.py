"""Formulas as the test suites of lme4, glmmTMB, brms, rstanarm, Bambi, formulae, formulaic and others write them.

Each line is a formula, the family its suite fits, and how it is read here: the same formula in other words, or ``!``
and words of the refusal, which name what to write. Bars without brackets stay refused, as lme4 refuses them.
"""

import re

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import HiermodError
from hiermod.formula.parser import parse

TABLE = """
covariances that are named before a bar
    y ~ x + us(x | g)                          | gaussian | y ~ x + (x | g)
    y ~ x + us(1 | g)                          | gaussian | y ~ x + (1 | g)
    y ~ x + us(0 + x | g)                      | gaussian | y ~ x + (0 + x | g)
    y ~ us(1 + x | g/h)                        | gaussian | y ~ (1 + x | g) + (1 + x | g:h)
    y ~ 1 + us(f | g) + (1 | h)                | gaussian | y ~ 1 + (f | g) + (1 | h)
    k ~ x + us(x + z | g)                      | poisson  | k ~ x + (x + z | g)
    y ~ x + diag(x | g)                        | gaussian | y ~ x + (x || g)
    y ~ x + diag(1 + x | g)                    | gaussian | y ~ x + (1 + x || g)
    y ~ x + diag(1 | g)                        | gaussian | y ~ x + (1 || g)
    y ~ x + diag(0 + f | g)                    | gaussian | y ~ x + (0 + f || g)
    y ~ x + diag(f | g) + us(1 | h)            | gaussian | y ~ x + (f || g) + (1 | h)
    k ~ 1 + diag(x + z | g)                    | poisson  | k ~ 1 + (x + z || g)
    y ~ us(x | g) - 1 + x                      | gaussian | y ~ 0 + x + (x | g)
    y ~ (us(x | g))                            | gaussian | y ~ (x | g)
    y ~ f + us(f - 1 | g)                      | gaussian | y ~ f + (0 + f | g)
effects that brms names
    y ~ x + (x | 2 | g)                        | gaussian | y ~ x + (x | g)
    y ~ x + (1 | p | g)                        | gaussian | y ~ x + (1 | g)
    y ~ 1 + (1 + x | ID | g)                   | gaussian | y ~ 1 + (1 + x | g)
    y ~ x + (1 | ID1 | g) + (1 | ID2 | h)      | gaussian | y ~ x + (1 | g) + (1 | h)
    y ~ x * z + (x * z | a1 | g)               | gaussian | y ~ x*z + (x*z | g)
    k ~ x + (1 | i | g:h)                      | poisson  | k ~ x + (1 | g:h)
    y ~ (1 | ID | g/h)                         | gaussian | y ~ (1 | g/h)
    y ~ x + (1 | p | g + h)                    | gaussian | y ~ x + (1 | g + h)
    y ~ 1 + (0 + x | 1 | g)                    | gaussian | y ~ 1 + (0 + x | g)
    y ~ x + (x | s | g) + (1 | h)              | gaussian | y ~ x + (x | g) + (1 | h)
    k ~ (f | 3 | g)                            | poisson  | k ~ (f | g)
    y ~ x + (1 | x1 | g)                       | gaussian | y ~ x + (1 | g)
    y ~ 0 + x + (0 + x + z | p | g)            | gaussian | y ~ 0 + x + (0 + x + z | g)
    y ~ x + (x + z | q | g)                    | gaussian | y ~ x + (x + z | g)
bars without brackets
    y ~ 1 | g                                  | gaussian | !write (1 | g)
    y ~ x | g                                  | gaussian | !write (1 | g)
    y ~ x + z | g                              | gaussian | !write (1 | g)
    y ~ x - 1 | g                              | gaussian | !write (1 | g)
    y ~ 1 | g/h                                | gaussian | !write (1 | g)
    y ~ 1 | g + 1 | h                          | gaussian | !write (1 | g)
    y ~ x + (x | g) + 1 | h                    | gaussian | !write (1 | g)
    k ~ 1 | g                                  | poisson  | !write (1 | g)
    y ~ x || g                                 | gaussian | !write (1 | g)
    y ~ 0 + x | g                              | gaussian | !write (1 | g)
    y ~ f | g                                  | gaussian | !write (1 | g)
    y ~ x + 1 | g                              | gaussian | !write (1 | g)
    y ~ 1 + 1 | g:h                            | gaussian | !write (1 | g)
responses of two levels
    use ~ x + (1 | g)                          | binomial | use['Y'] ~ x + (1 | g)
    use ~ x - 1 + (1 | g/h)                    | binomial | use['Y'] ~ 0 + x + (1 | g/h)
    use ~ x + I(x^2) + f + (1 | g:h)           | binomial | use['Y'] ~ x + I(x^2) + f + (1 | g:h)
    use ~ 1 + (1 | g)                          | bernoulli | use['Y'] ~ 1 + (1 | g)
    text ~ x + (x | g)                         | binomial | text['yes'] ~ x + (x | g)
    text ~ f * x + (1 | g)                     | bernoulli | text['yes'] ~ f*x + (1 | g)
    use ~ z                                    | binomial(probit) | use['Y'] ~ z
    use ~ f                                    | binomial(cloglog) | use['Y'] ~ f
    text ~ 0 + f                               | binomial | text['yes'] ~ 0 + f
    as.factor(b) ~ x                           | binomial | b['1'] ~ x
intercepts in brackets
    y ~ (x + 0)/z                              | gaussian | y ~ 0 + x + x:z
    y ~ (f + 0)/x                              | gaussian | y ~ 0 + f + f:x
    y ~ (1 + x)                                | gaussian | y ~ x
    y ~ (x + 1) + z                            | gaussian | y ~ x + z
    y ~ (x - 1)                                | gaussian | y ~ 0 + x
    y ~ (f + 0)/x + (1 | g)                    | gaussian | y ~ 0 + f + f:x + (1 | g)
levels and contrasts
    y ~ C(f, levels=['b', 'a', 'c'])           | gaussian | y ~ factor(f, levels=c('b', 'a', 'c'))
    y ~ 0 + C(f, levels=['c', 'b', 'a'])       | gaussian | y ~ 0 + factor(f, levels=c('c', 'b', 'a'))
    y ~ C(f, Treatment, levels=['c', 'b', 'a']) | gaussian | y ~ C(factor(f, levels=c('c', 'b', 'a')), 'treatment')
    y ~ C(f, Sum, levels=['c', 'b', 'a'])      | gaussian | y ~ C(factor(f, levels=c('c', 'b', 'a')), 'sum')
    y ~ C(f, levels=['c', 'b', 'a']) * x       | gaussian | y ~ factor(f, levels=c('c', 'b', 'a')) * x
    k ~ 0 + C(f, levels=levels)                | poisson  | !levels=c('a', 'b')
    y ~ C(f) + x + C(h, Treatment(reference='q')) | gaussian | y ~ C(f) + x + relevel(h, 'q')
    y ~ x + C(f, contr.Treatment)              | gaussian | y ~ x + C(f, contr.treatment)
exposures
    k | rate(t) ~ x                            | poisson  | k | rate(t) ~ x
    k | rate(t) ~ x + (1 | g)                  | poisson  | k | rate(t) ~ x + (1 | g)
    k | rate(t) ~ 1                            | poisson  | k | rate(t) ~ 1
    k | rate(t) ~ x                            | negbinomial | k | rate(t) ~ x
an intercept that is a coefficient
    y ~ 0 + Intercept + x + (1 | g) + (1 | h)  | gaussian | y ~ 0 + Intercept + x + (1 | g) + (1 | h)
    y ~ 0 + Intercept + x                      | gaussian | y ~ 0 + Intercept + x
    y ~ 0 + Intercept                          | gaussian | y ~ 0 + Intercept
    k ~ 0 + Intercept + x + (1 | g)            | poisson  | k ~ 0 + Intercept + x + (1 | g)
packages, braces, brackets
    log(o) ~ splines::ns(x, 3) + +I(1 + x^3) + (x | g) | gaussian | log(o) ~ ns(x, 3) + I(1 + x^3) + (x | g)
    y ~ splines::ns(x, 3)                      | gaussian | y ~ ns(x, 3)
    y ~ splines::bs(x, df=5) + (1 | g)         | gaussian | y ~ bs(x, df=5) + (1 | g)
    y ~ {x + z}                                | gaussian | y ~ I(x + z)
    y ~ {x / z} + f                            | gaussian | y ~ I(x / z) + f
    y ~ x + {x**2}                             | gaussian | y ~ x + I(x^2)
    y ~ (bs(x, knots=knots, intercept=False, degree=1) | g) | gaussian | !knots=c(1, 2)
    y ~ bs(x, knots=knots, degree=1)           | gaussian | !knots=c(1, 2)
    y ~ x + ((1 | g) + (0 + x | g))            | gaussian | y ~ x + (1 | g) + (0 + x | g)
    y ~ x + z + (1 | (f/g)/h)                  | gaussian | y ~ x + z + (1 | f/g/h)
    y/10 ~ x + (x | g)                         | gaussian | I(y / 10) ~ x + (x | g)
"""
HEADED = [line for line in TABLE.splitlines() if line.startswith(" ")]
FAMILY = re.compile(r" \| ((?:gaussian|poisson|negbinomial|bernoulli|binomial)(?:\(\w+\))?) +\| ")


def cases():
    """The formula, the family, and how it is read: the columns of the table, whose formulas hold bars too."""
    for line in HEADED:
        formula, family, reading = FAMILY.split(line)
        yield formula.strip(), family, reading.strip()


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    rows = 72
    frame = pd.DataFrame({"y": rng.normal(5.0, 1.0, rows), "x": rng.uniform(0.5, 4.0, rows)})
    frame["z"], frame["o"] = rng.normal(size=rows), rng.gamma(3.0, 1.0, rows) + 0.2
    frame["k"], frame["t"] = rng.poisson(3.0, rows), rng.integers(1, 5, rows)
    frame["b"] = rng.integers(0, 2, rows)
    frame["use"] = pd.Categorical(np.where(frame["b"] == 1, "Y", "N"))
    frame["text"] = np.where(frame["b"] == 1, "yes", "no")
    frame["f"], frame["h"] = np.tile(list("abc"), rows // 3), np.repeat(np.tile(list("pqr"), rows // 12), 4)
    frame["g"] = np.repeat(list("uvwxyz"), rows // 6)
    return frame


@pytest.mark.parametrize(("formula", "family", "reading"), [*cases()])
def test_it_is_read_as_its_home_reads_it_or_refused_with_the_remedy(formula, family, reading, data):
    if reading.startswith("!"):
        with pytest.raises(HiermodError) as caught:
            hm.model(formula, data, family)
        assert reading[1:] in str(caught.value)
        return
    model = hm.model(formula, data, family)
    assert parse(model.formula) == parse(reading)
    assert model.family == family


def test_few_are_refused():
    table = [*cases()]
    assert len(table) == len(HEADED) == 85
    bare = [case for case in table if case[2] == "!write (1 | g)"]
    refused = [case for case in table if case[2].startswith("!")]
    assert len(bare) == 13
    assert len(refused) - len(bare) < 10
