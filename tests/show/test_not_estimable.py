"""What a person sees where the data say nothing about a line."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import hiermod as hm
from hiermod.answers.answer import measure_of
from hiermod.show.sentences import best_sentences, effect_sentences


@pytest.fixture(scope="module")
def fit():
    """No row has a2 with b2; draws are those of the prior, taken for a posterior's."""
    rows = pd.DataFrame({"a": ["a1", "a1", "a2"] * 20, "b": ["b1", "b2", "b1"] * 20, "y": np.sin(np.arange(60))})
    model = hm.model("y ~ a*b", rows)
    return model.with_draws(model.sample_prior(200, seed=1).prior)


def test_tables_say_so_in_the_place_of_numbers(fit):
    text = repr(fit.rates("b", by="a"))
    assert text.splitlines()[4].split() == ["a2", "b2", "non-est", "non-est", "non-est", "20", "0", "False"]
    assert "nan" not in text
    effect = fit.effect("b", by="a")
    assert repr(effect).count("non-est") == 5
    assert "nan" not in effect.to_markdown() + effect.to_latex() + effect._repr_html_()


def test_other_rows_keep_their_pictures(fit):
    page = fit.rates("b", by="a")._repr_html_()
    assert page.count("<svg") == 3


def test_a_picture_says_so_beside_the_row(fit):
    ax = fit.effect("b", by="a").plot()
    (right,) = ax.child_axes
    assert [label.get_text() for label in right.get_yticklabels()][1] == "non-est"
    plt.close(ax.figure)


def test_sentences_claim_nothing(fit):
    known, unknown = effect_sentences(fit.effect("b", by="a"))
    assert known.startswith("There is ")
    assert unknown == "The data say nothing about the effect of b, b2 vs b1, in a2."
    sentences = best_sentences(fit.best("b", by="a"), measure_of(fit.model._defined.spec))
    assert sentences[1] == "The data do not tell which b is the best in a2: one of them is not estimable."
