"""Functions of formulas: their options, what each option may be, their names elsewhere, and what is said of others."""

import contextlib
import io

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import FormulaError, HiermodError
from hiermod.formula.parser import parse
from hiermod.formula.vocabulary import CONTRASTS, FUNCTIONS, REGISTERED, RESERVED

RNG = np.random.default_rng(4)
ROWS = pd.DataFrame({"y": RNG.normal(size=40), "x": RNG.uniform(2.0, 9.0, 40), "k": list(range(1, 5)) * 10,
                     "g": list("abcd") * 10})  # fmt: skip
OF_ONE_COLUMN = "log10 log2 log1p exp expm1 sqrt abs sin cos tan I standardize center as.factor as.ordered mo"
FLAG, NUMBER, EITHER = "It is TRUE or FALSE", "It is a number", "It is TRUE, FALSE or a number"
ALL, TWO = "c('a', 'b', 'c', 'd')", "c('a', 'b')"
SEVERAL = r"It is a number or several: c\(1, 2\)"
WITH_OPTIONS = {  # in R's order: one that is right, one that is wrong and what is said of it
    "log": [("base=2", "base='a'", NUMBER)],
    "round": [("digits=1", "digits='a'", NUMBER)],
    "scale": [("center=FALSE", "center='a'", EITHER), ("scale=2", "scale=c(1, 2)", EITHER)],
    "poly": [("degree=2", "degree='a'", NUMBER), ("raw=TRUE", "raw='a'", FLAG)],
    "bs": [("df=5", "df='a'", NUMBER), ("knots=c(4, 6)", "knots='a'", SEVERAL), ("degree=2", "degree='a'", NUMBER),
           ("intercept=TRUE", "intercept='a'", FLAG)],
    "ns": [("df=4", "df='a'", NUMBER), ("knots=c(4, 6)", "knots='a'", SEVERAL),
           ("intercept=TRUE", "intercept='a'", FLAG)],
    "s": [("by=z", "by=2", "no column"), ("k=8", "k='a'", NUMBER), ("bs='tp'", "bs='zz'", "bs='zz' is not there"),
          ("m=2", "m='a'", SEVERAL)],
    "cut": [("breaks=3", "breaks='a'", SEVERAL), ("labels=c('p', 'q', 'r')", "labels='a'", "1 labels for 3 intervals"),
            ("include.lowest=TRUE", "include.lowest=3", FLAG), ("right=FALSE", "right=3", FLAG)],
    "factor": [(f"levels={ALL}", f"levels={TWO}", "leaves out 'c', 'd'"), (f"labels={ALL}", f"labels={TWO}", "labels")],
    "ordered": [(f"levels={ALL}", f"levels={TWO}", "leaves out 'c'"), (f"labels={ALL}", f"labels={TWO}", "labels")],
    "relevel": [("ref='c'", "ref='z'", "there is no level 'z'")],
    "C": [("contr=sum", "contr='summ'", "no contrasts"), (f"levels={ALL}", f"levels={TWO}", "leaves out"),
          ("contr.treatment, base=2", "contr.treatment, base='z'", "no level 'z'")],
}  # fmt: skip
OF_LEVELS = ("factor", "ordered", "relevel", "C")
ABSENT = {
    r"s\(a\) \+ s\(b\)": "t2 te ti",
    r"the smooth s\(x\)": "lo gp",
    r"effects of groups: \(1 \| unit\)": "ar ma arma cor_ar cosy unstr sar car fcor ar1 ou toep",
    "na='drop'": "mi",
    "the column itself": "me",
    r"\(1 \| a\) \+ \(1 \| b\)": "mm mmc",
    r"y \| se\(s\)": "se",
    r"time \| cens\(code\), Surv\(time, event\)": "cens censored trunc truncated Surv constrained",
    "a model for each": "mvbind mvbf",
    r"named before a bar, as in us\(x \| g\)": "us diag",
    r"y \| weights\(w\)": "weighted",
    r"\(1 \| g\), or add": "gr",
    "backticks": "Q",
    "I\\(g == 'c'\\)": "binary B dummy",
    r"I\(x\^2\)": "np.power",
    "Treatment\\('b'\\)": "T",
    r"C\(g, Sum\)": "S",
    r"factor\(x\)": "as.character",
    "the column alone": "as.numeric",
    r"Write ns\(x, df=4\)": "cr cc",
}


def defined(text):
    with contextlib.redirect_stderr(io.StringIO()):
        return hm.model(f"y ~ {text}", ROWS)


def test_the_functions_are_those_of_the_tables():
    assert set(FUNCTIONS) == {*OF_ONE_COLUMN.split(), *WITH_OPTIONS, "hsgp"}  # which Bambi's models have
    assert {name for name, function in FUNCTIONS.items() if function.stepped} == {"round", "mo"}
    assert {name: function.required for name, function in FUNCTIONS.items() if function.required} == {
        "cut": 1,
        "relevel": 1,
    }


@pytest.mark.parametrize("name", OF_ONE_COLUMN.split())
def test_functions_of_one_column_take_no_options(name):
    assert str(parse(f"y ~ {name}(x)").common[0]) == f"{name}(x)"
    with pytest.raises(FormulaError, match="It takes none"):
        parse(f"y ~ {name}(x, base=2)")


@pytest.mark.parametrize("name", WITH_OPTIONS)
def test_options_are_known_by_name_and_kind(name):
    column = "g" if name in OF_LEVELS else "x"
    taken = [right.split(", ")[-1].split("=")[0] if name == "C" and "base" in right else right.split("=")[0]
             for right, _, _ in WITH_OPTIONS[name]]  # fmt: skip
    with pytest.raises(FormulaError, match=f"It takes {', '.join(taken)}"):
        parse(f"y ~ {name}({column}, zzz=2)")
    for right, wrong, why in WITH_OPTIONS[name]:
        before = "breaks=3, " if name == "cut" and "breaks" not in right else ""
        if right != "by=z":
            assert defined(f"{name}({column}, {before}{right})").formula
        with pytest.raises(HiermodError, match=why):
            defined(f"{name}({column}, {before}{wrong})")


@pytest.mark.parametrize("named", CONTRASTS)
def test_contrasts_have_their_names_of_r_and_patsy(named):
    plain = named.removeprefix("contr.").lower()
    assert str(parse(f"y ~ C(g, {named})").common[0]) in (f"C(g, '{plain}')", "C(g, 'treatment')", "C(g)", "factor(g)")
    assert parse(f"y ~ C(g, {named})").common == parse(f"y ~ C(g, {plain})").common


@pytest.mark.parametrize("name", [name for name in OF_ONE_COLUMN.split() if FUNCTIONS[name].python.startswith("np.")])
def test_numpy_s_names_are_known_and_written_for_bambi(name):
    assert parse(f"y ~ np.{name}(x)").common == parse(f"y ~ {name}(x)").common
    assert hm.translate(f"y ~ {name}(x)", "bambi") == f"y ~ np.{name}(x)"
    assert hm.translate(f"y ~ {name}(x)", "lme4") == f"y ~ {name}(x)"


@pytest.mark.parametrize(("ours", "other"), [
    ("standardize(x)", "scale(x)"), ("center(x)", "scale(x, scale=FALSE)"), ("as.factor(g)", "as.factor(g)"),
    ("log(x)", "log(x)"), ("round(x, 1)", "round(x, 1)"),
])  # fmt: skip
def test_what_r_writes_otherwise(ours, other):
    assert hm.translate(f"y ~ {ours}", "lme4") == f"y ~ {other}"


@pytest.mark.parametrize(("ours", "other"), [
    ("factor(g)", "C(g)"), ("as.factor(g)", "C(g)"), ("round(x, 1)", "np.round(x, 1)"), ("log(x)", "np.log(x)"),
])  # fmt: skip
def test_what_bambi_writes_otherwise(ours, other):
    assert hm.translate(f"y ~ {ours}", "bambi") == f"y ~ {other}"


@pytest.mark.parametrize(("remedy", "names"), ABSENT.items())
def test_functions_of_other_packages_are_led_to_what_is_nearest(remedy, names):
    for name in names.split():
        with pytest.raises(FormulaError, match=rf"(?=.*{name}(\(…\)|')).*{remedy}"):
            parse(f"y ~ {name}(x)")


def test_misspelled_functions_are_led_to_near_ones_and_others_to_all():
    with pytest.raises(FormulaError, match=r"no function 'sqr'\. Did you mean 'sqrt'\? Or add a column"):
        parse("y ~ sqr(x)")
    for name in ("lg", "fibonacci"):
        with pytest.raises(
            FormulaError, match=f"no function '{name}'. There is: 'log10', .*'relevel', 'C'. Or add a column"
        ):
            parse(f"y ~ {name}(x)")


@pytest.mark.parametrize("name", [*RESERVED, "log", "C", "a b", "1x", "", 3])
def test_taken_names_and_no_names_cannot_be_registered(name):
    with pytest.raises(HiermodError, match="is taken, or no plain name"):
        hm.register(name, abs)


def test_reserved_names_are_what_formulas_write_otherwise():
    expected = "offset cbind p prop proportion trials weights c t2 te gp treatment rate"
    assert set(RESERVED) == set(expected.split())


def test_registered_functions_are_called_and_suggested():
    with pytest.raises(HiermodError, match="3 cannot be called"):
        hm.register("threefold", 3)
    hm.register("threefold", lambda x: 3.0 * x)
    try:
        assert str(parse("y ~ threefold(x)").common[0]) == "threefold(x)"
        with pytest.raises(FormulaError, match="Did you mean 'threefold'"):
            parse("y ~ threefolt(x)")
    finally:
        del REGISTERED["threefold"]
