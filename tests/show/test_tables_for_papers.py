"""Tables of fits as Markdown, LaTeX and HTML; results as their tables; what a notebook shows."""

from __future__ import annotations

import copy
import pickle
import re
from xml.etree import ElementTree

import made_up_fits as made
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError, ModelError
from hiermod.show.summary import part_of, term_of


def numbers(text):
    return [float(each.replace(",", "")) for each in re.findall(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?", text)]


def test_a_summary_has_the_same_numbers_in_every_form(country_fit):
    summary = country_fit.summary()
    rows = len(summary.fixed) + len(summary.random)
    markdown = [line for line in summary.to_markdown().splitlines() if line.startswith("|")]
    assert len(markdown) == 2 + 2 + rows
    latex = [line for line in summary.to_latex().splitlines() if line.endswith(r"\\")]
    assert len(latex) == 1 + 2 + rows
    treated = next(line for line in markdown if line.startswith("| treated"))
    assert numbers(treated) == numbers(next(line for line in latex if line.startswith("treated")))
    assert numbers(treated)[0] == round(summary.fixed.loc["treated", "estimate"], 2)
    root = ElementTree.fromstring(summary.to_html())
    cells = ["".join(cell.itertext()) for cell in root.iter("td")]
    assert all(f"{number:g}" in " ".join(cells).replace(",", "") for number in numbers(treated)[:2])


def test_models_stand_side_by_side(country_fit):
    smaller = made.made_up("success ~ treated", hm.example("country"))
    table = hm.table({"Trial": country_fit, "No groups": smaller}, names={"treated": "New page"})
    frame = table.frame.set_index("term")
    assert list(table.frame.columns) == ["part", "term", "Trial", "No groups"]
    fixed = country_fit.fixef().loc["treated"]
    assert numbers(frame.loc["New page", "Trial"]) == [round(fixed[name], 2) for name in ("estimate", "lower", "upper")]
    assert frame.loc["country: sd(treated)", "No groups"] == ""
    assert frame.loc["Rows", "Trial"] == "400"
    ratios = hm.table([smaller], exponentiate=True).frame.set_index("term").iloc[:, -1]
    draws = smaller.posterior["treated"].to_numpy()
    import numpy as np

    assert numbers(ratios["treated"])[0] == pytest.approx(np.exp(draws).mean(), abs=0.01)
    scored = hm.table({"Trial": country_fit}, loo=True).frame.set_index("term")
    assert numbers(scored.loc["ELPD (leave-one-out)", "Trial"]) == [round(country_fit.loo().elpd, 1)]


@pytest.mark.parametrize(
    ("group", "term", "heading", "name"),
    [
        ("Smooth", "sds(s(x))", "Smooths", "sds(s(x))"),
        ("Shrinkage", "slope_global", "Shrinkage", "slope_global"),
        ("Residual", "sigma", "Family", "sigma"),
        ("shop", "sd(x)", "Varying effects", "shop: sd(x)"),
        ("Smooth", "sd(Intercept)", "Varying effects", "Smooth: sd(Intercept)"),
    ],
)
def test_terms_stand_under_headings_of_their_own(group, term, heading, name):
    assert (part_of(group, term), term_of(group, term)) == (heading, name)


def test_names_of_levels_are_text_in_every_form():
    fit = made.made_up("s/n ~ arm + (1 | g)", pd.DataFrame({
        "arm": ["<i>a_1&</i>", "50%|#b"] * 6, "g": list("abcdef") * 2, "s": [3, 4] * 6, "n": 9}))  # fmt: skip
    table = hm.table({"<b>A</b>": fit})
    term = "arm[<i>a_1&</i>]"
    if term not in table.frame["term"].tolist():
        term = "arm[50%|#b]"
    assert "<b>" not in table.to_html().replace("&lt;b&gt;", "")
    assert ElementTree.fromstring(table.to_html()) is not None
    assert r"50\%|\#b" in table.to_latex() or r"a\_1\&" in table.to_latex()
    row = next(line for line in table.to_markdown().splitlines() if "arm" in line)
    assert len(re.split(r"(?<!\\)\|", row)) == 4


def test_tables_refuse_what_is_no_fit(country_fit):
    with pytest.raises(ModelError, match="here is a str"):
        hm.table({"A": "success ~ 1"})
    with pytest.raises(ModelError, match="here is none"):
        hm.table([])
    with pytest.raises(ModelError, match="two fits have the same formula"):
        hm.table([country_fit, country_fit])


def test_great_tables_take_a_table_where_they_are_installed(country_fit):
    try:
        import great_tables
    except ImportError:
        with pytest.raises(AnswerError, match="needs the package great_tables"):
            country_fit.summary().gt()
    else:
        assert isinstance(country_fit.summary().gt(), great_tables.GT)


def test_results_behave_as_their_tables(country_fit):
    answer = country_fit.effect("treated", by="country")
    assert len(answer) == 2
    assert answer["estimate"].tolist() == answer.table["estimate"].tolist()
    assert list(answer) == list(answer.columns) == list(answer.table)
    assert answer.shape == answer.table.shape
    assert "prob_beats" in answer
    assert answer.head(1).equals(answer.table.head(1))
    assert pd.read_csv(__import__("io").StringIO(answer.to_csv())).shape == answer.shape
    assert answer.to_dict()[0]["country"] == "Canada"
    assert answer[answer["prob_beats"] > 0.95]["country"].tolist() == ["Canada"]
    for other in (country_fit.check(), country_fit.decide("treated", loss=0.01), country_fit.loo()):
        assert len(other) == len(other.table)
        assert list(other.columns) == list(other.table.columns)
    assert pickle.loads(pickle.dumps(answer)).table.equals(answer.table)
    assert copy.deepcopy(answer).table.equals(answer.table)


def test_long_answers_are_shortened_where_they_are_shown():
    answer = made.many().rates(by="store")
    assert len(repr(answer).splitlines()) == 1 + 30 + 1 + 10
    assert "… 160 more rows of 200: answer.table has all …" in repr(answer)
    assert answer._repr_html_().count("<tr>") == 1 + 30 + 1 + 10
    assert len(answer.to_markdown().splitlines()) == 2 + 200
    assert len(repr(made.many(60).rates(by="store")).splitlines()) == 61


def test_notebooks_show_fits_models_and_checks(country_fit):
    shown = country_fit._repr_html_()
    assert "<table>" in shown
    assert "Formula: success ~ treated + (1 + treated | country)" in shown
    model = country_fit.model._repr_html_()
    assert "StudentT(3, 0, 1)" in model
    assert "All checks passed." in country_fit.check()._repr_html_()
    for text in (shown, model, made.odd()._repr_html_(), made.odd().model._repr_html_()):
        assert "<script" not in text
        ElementTree.fromstring(f"<div>{text.replace(' border="1"', '')}</div>")
