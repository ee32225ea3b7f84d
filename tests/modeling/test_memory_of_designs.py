"""Designs and answers that do not fit in memory are refused before they are made, with what they take and a remedy."""

import time

import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.errors import AnswerError, DataError

RNG = np.random.default_rng(0)


def rows_of(levels, rows, names="gh"):
    columns = {name: [f"{name}{code}" for code in RNG.integers(0, levels, rows)] for name in names}
    return pd.DataFrame({"y": RNG.normal(size=rows), **columns})


def test_a_million_products_of_levels_are_refused_at_once_and_pooled_instead():
    rows = rows_of(1000, 5000)
    start = time.process_time()
    with pytest.raises(
        DataError, match=r"The \d{3},\d{3} common coefficients of \d,\d{3} cells, .* of g:h, take .* GB .* \(1 \| g:h\)"
    ):
        hm.model("y ~ g * h", rows)
    assert time.process_time() - start < 5.0
    assert hm.model("y ~ (1 | g:h)", rows).formula
    with pytest.raises(DataError, match=r"with \(1 \| levels1:h\), having stored C\(g, 'sum'\) in a column levels1\."):
        hm.model("y ~ C(g, Sum) * h", rows)
    assert hm.model("y ~ (1 | levels1:h)", rows.assign(levels1=rows.g)).formula


def test_many_levels_are_refused_where_memory_is_small(monkeypatch):
    rows = rows_of(1500, 6000, "g")
    monkeypatch.setattr("hiermod.memory.available_memory", lambda: 1e8)
    with pytest.raises(DataError, match=r"1,\d{3} common coefficients .* of g, take .* MB .* with \(1 \| g\)"):
        hm.model("y ~ g", rows)
    monkeypatch.undo()
    assert hm.model("y ~ g", rows).formula


def test_crossed_columns_of_many_levels_take_no_singular_value_decomposition(monkeypatch):
    def never(*_, **__):
        raise AssertionError("decomposed")

    monkeypatch.setattr(np.linalg, "svd", never)
    monkeypatch.setattr(np.linalg, "matrix_rank", never)
    notices = hm.model("y ~ g + h", rows_of(150, 200))._defined.notices
    assert any("fit each of the 200 rows" in notice for notice in notices) is False
    assert any("can fit each of the 40 rows exactly" in said for said in hm.model("y ~ g + h", rows_of(60, 40)).notices)


def test_answers_are_refused_with_the_rows_that_would_fit(country_fit, monkeypatch):
    data = hm.example("country")
    monkeypatch.setattr("hiermod.memory.available_memory", lambda: 1e7)
    with pytest.raises(AnswerError, match=r"400 rows of 4,000 draws take 38.4 MB .* at most 93 rows at a time"):
        country_fit.predict(data)
    assert len(country_fit.predict(data.iloc[:93]).table) == 93
    monkeypatch.setattr("hiermod.memory.available_memory", lambda: 1e5)
    with pytest.raises(AnswerError, match="2 rows of 4,000 draws take"):
        country_fit.rates(by="country")


def test_questions_about_very_many_groups_are_refused_with_those_that_can_be_asked(monkeypatch):
    group = np.repeat(np.arange(1500), 2)
    rows = pd.DataFrame({"y": RNG.normal(size=1500)[group] + RNG.normal(size=3000), "g": group})
    fit = hm.fit("y ~ 1 + (1 | g)", rows, seed=1, draws=50, progress=False)
    monkeypatch.setattr("hiermod.sampling.posterior.KEPT", 0)
    monkeypatch.setattr("hiermod.answers.group_effects.SMALL", 0)
    monkeypatch.setattr("hiermod.memory.available_memory", lambda: 1e6)
    with pytest.raises(AnswerError, match=r"effects of 1,500 groups in 200 draws take 7\.2 MB .*rates\(by='g', where="):
        fit.ranef()
    with pytest.raises(
        AnswerError, match=r"1,500 values, each taken by 1,500 rows, take 36\.0 MB .*as in \{'g': \[\.\.\.\]\}"
    ):
        fit.best("g")
    with pytest.raises(AnswerError, match=r"1,500 contrasts of 1,500 levels of g take .* as in \{'g': \[0, 1499\]\}"):
        fit.effect("g")
    assert len(fit.rates(by="g", where={"g": [1, 2]}).table) == 2
    assert len(fit.effect({"g": [0, 1499]}).table) == 1
