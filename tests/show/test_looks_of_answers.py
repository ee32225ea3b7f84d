"""Answers as text, Markdown, LaTeX and HTML: rounded as their draws allow, escaped, and valid."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made_up_fits import country, counts, odd

from hiermod.answers.answer import Answer, Question, decimals, make_answer
from hiermod.answers.scales import CONTRASTS, RATES
from hiermod.show.answer_text import BINS, sparklines

DIFFERENCE = Question("effect", CONTRASTS["difference"], by=("g",))


def answer_of(values, names=("a", "b"), question=DIFFERENCE, **columns):
    """An answer from independent draws of shape ``(rows, chains, draws)``."""
    keys = pd.DataFrame({"g": list(names)[: len(values)]})
    flat = values.reshape(len(values), -1)
    return make_answer(flat, keys, values.shape[1:], question, "x", columns=columns)


@pytest.fixture(scope="module")
def normal():
    return np.random.default_rng(1).normal(size=(2, 4, 1000))


def test_decimals_are_those_that_the_monte_carlo_error_allows(normal):
    """4,000 independent standard normals: e = 1/sqrt(4000) = 0.016 for the mean, so that 2e = 0.03 and two decimals."""
    for scale, places in ((1.0, 2), (0.1, 3), (10.0, 1), (1000.0, 0), (1e-4, 6)):
        answer = answer_of(normal * scale)
        found = decimals(answer)
        assert found["estimate"] == places
    # a quantile's is sqrt(p (1 - p) / n) / density = 0.042 at 0.025, so that 2e = 0.08 and two decimals
    answer = answer_of(normal)
    assert decimals(answer)["lower"] == 2


def test_fewer_effective_draws_give_fewer_digits(normal):
    sticky = np.repeat(normal[:, :, :10], 100, axis=2)
    answer = answer_of(sticky)
    assert decimals(answer)["estimate"] < 2


def test_probabilities_and_losses(normal):
    shifted = normal + 1.0
    flat = shifted.reshape(2, -1)
    answer = answer_of(shifted, prob_beats=(flat > 0).mean(axis=1), expected_loss=np.maximum(-flat, 0).mean(axis=1))
    found = decimals(answer)
    # P = 0.84: e = sqrt(0.84 * 0.16 / 4000) = 0.006, 2e = 0.012; E max(-x, 0) has sd 0.25: e = 0.004, 2e = 0.008
    assert (found["prob_beats"], found["expected_loss"]) == (2, 3)


def test_very_few_draws_keep_four_decimals():
    answer = answer_of(np.array([[[0.1, 0.2, 0.4]]]))
    assert decimals(answer) == {}
    assert "0.2333" in repr(answer)


def test_a_small_number_is_never_printed_as_zero(normal):
    answer = answer_of(normal[:1])
    table = answer.table.assign(estimate=3e-9)
    assert "3e-09" in repr(Answer(answer.draws, table, answer.question))


def test_markdown_and_latex_escape_what_is_theirs():
    answer = odd().rates(by="g$r$")
    text = answer.to_markdown()
    lines = text.splitlines()
    assert len(lines) == len(answer.table) + 2
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in lines}
    assert bars == {len(answer.table.columns) + 1}
    assert r"\<b\>A\</b\>" in text
    written = answer.to_latex()
    assert r"100\% \& \textbackslash{}frac\{1\}\{2\}" in written
    assert written.count(r"\\" + "\n") == len(answer.table) + 1
    assert written.startswith(r"\begin{tabular}{lrrrrr}")


@pytest.mark.parametrize("make", [country, odd, counts])
def test_html_is_valid_escaped_and_has_a_picture_for_each_row(make):
    fit = make()
    by = fit.model._defined.spec.formula.grouping_columns[0]
    answer = fit.rates(by=by)
    page = answer._repr_html_()
    root = ET.fromstring(page)
    assert "<b>" not in page
    assert "<script" not in page
    rows = root.find("tbody").findall("tr")
    assert len(rows) == len(answer.table)
    pictures = [row.findall(".//{http://www.w3.org/2000/svg}svg") for row in rows]
    assert all(len(own) == 1 for own in pictures)
    first = next(cell.text for cell in rows[0].findall("td"))
    assert first == (" ".join(str(answer.table[by].iloc[0]).split()) or "''")


def test_pictures_share_one_scale_and_show_where_no_effect_is(normal):
    first, second = sparklines(answer_of(np.stack([normal[0], normal[1] + 8.0])))
    centre = []
    for text in (first, second):
        polygon = ET.fromstring(text)[0].attrib["points"].split()
        points = np.array([point.split(",") for point in polygon], dtype=float)[1:-1]
        heights = 22.0 - points[:, 1]
        centre.append((points[:, 0] * heights).sum() / heights.sum())
    assert centre[0] < 35.0 < 85.0 < centre[1]  # of 120
    assert "stroke-dasharray" in first
    assert "stroke-dasharray" not in sparklines(answer_of(normal, question=Question("rates", RATES, by=("g",))))[0]


def test_no_pictures_of_few_or_equal_draws():
    assert sparklines(answer_of(np.zeros((1, 1, BINS - 1)))) == []
    assert sparklines(answer_of(np.zeros((1, 1, 1000)))) == []
    assert "svg" not in answer_of(np.zeros((1, 1, 1000)))._repr_html_()
    few_ulps = 1.0 - np.spacing(0.5) * (np.arange(1000.0) % 7).reshape(1, 1, 1000)
    assert "svg" not in answer_of(few_ulps)._repr_html_()


def test_printing_loads_no_matplotlib():
    import subprocess
    import sys

    code = "import sys, hiermod.show.answer_text, hiermod.show.answer_text; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_dims_in_any_order(normal):
    answer = answer_of(normal)
    turned = Answer(answer.draws.transpose("row", "draw", "chain"), answer.table, answer.question)
    assert repr(turned) == repr(answer)
    assert isinstance(turned.draws, xr.DataArray)
