"""Levels and names with control characters, or ones that turn the direction of text, are spelled out for people."""

import unicodedata

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hiermod as hm
from hiermod import cli
from hiermod.errors import DataError, visible

TITLE, TURNED, DEL = "\x1b]0;owned\x07a", "\u202eb", "c\x9b31m\x7f"
LEVELS = [TITLE, TURNED, DEL, "d"]
SPELLED = [r"\x1b]0;owned\x07a", r"\u202eb", r"c\x9b31m\x7f"]
RAW = "\x1b\x07\u202e\x9b\x7f"
RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"y": RNG.integers(0, 2, 80), "f": np.repeat(LEVELS, 20), "g": np.tile(LEVELS, 20)})


@pytest.fixture(scope="module")
def fit():
    model = hm.model("y ~ f + (1 | g)", ROWS)
    return model.with_draws(model.sample_prior(100, seed=1).prior)


def assert_spelled(text, names=SPELLED):
    assert not set(text) & set(RAW)
    for name in names:
        assert name in text


def test_answers_print_them_spelled_out_in_every_form(fit):
    answer = fit.rates("f", by="g")
    for text in (str(answer), answer._repr_html_()):
        assert_spelled(text)
    for text in (answer.to_markdown(), answer.to_latex()):
        assert_spelled(text, ["u202eb"])  # whose backslash has a spelling of its own there


def test_values_in_tables_stay_as_they_are(fit):
    assert set(fit.rates(by="g").table["g"]) == set(LEVELS)
    assert set(fit.ranef()["g"].index) == set(LEVELS)


@pytest.mark.parametrize(
    "ask",
    [
        lambda fit: fit.summary(),
        lambda fit: fit.model.explain(),
        lambda fit: fit.decide("f", threshold=0.01),
        lambda fit: fit.effect("f"),
        lambda fit: fit.outlying(),
        lambda fit: fit.model.sample_prior(50, seed=1).implied(),
    ],
)
def test_what_prints_itself_prints_no_control_character(fit, ask):
    result = ask(fit)
    assert_spelled(repr(result), [])
    if hasattr(result, "_repr_html_"):
        assert_spelled(result._repr_html_(), [])


def test_sentences_spell_them_out(fit):
    from hiermod.show.sentences import best_sentences, effect_sentences

    assert_spelled("\n".join(effect_sentences(fit.effect("f"))), [])
    assert_spelled("\n".join(best_sentences(fit.best("f"), fit.rates("f").question.measure)), [])


def test_pictures_spell_them_out(fit):
    for ax in (fit.plot.rates("f", by="g"), fit.plot.shrinkage(), fit.plot.effect("f")):
        ax.figure.canvas.draw()
        texts = [each.get_text() for each in ax.figure.findobj(matplotlib.text.Text)]
        assert_spelled("\n".join(texts), ["u202eb"])


def test_errors_and_notices_spell_them_out(capsys):
    with pytest.raises(DataError, match=r"\\x1b") as caught:
        hm.model("y ~ f", ROWS.assign(f=TITLE))
    assert_spelled(str(caught.value), [])
    hm.model("y ~ f", ROWS)
    assert_spelled(capsys.readouterr().err, [SPELLED[0]])


def test_the_command_line_spells_them_out(tmp_path, capsys):
    ROWS.to_csv(tmp_path / "rows.csv", index=False)
    assert cli.main(["fit", str(tmp_path / "rows.csv"), "y ~ f", "--by", "f", "--seed", "1"]) in (0, 3)
    seen = capsys.readouterr()
    assert_spelled(seen.out)
    assert_spelled(seen.err, [])


@given(st.text())
def test_spelled_text_is_printable_and_the_rest_is_kept(text):
    shown = visible(text)
    assert visible(shown) == shown
    for one in shown:
        assert unicodedata.category(one) not in ("Cc", "Cf", "Cs") or one in "\n\t\u200c\u200d"
    if text.isprintable():
        assert shown == text


@pytest.mark.parametrize("text", ["Zürich", "東京", "می\u200cخواهم", "👩\u200d🔬", "a\u00a0b", "a\nb\tc", "שלום"])
def test_letters_of_any_script_stay(text):
    assert visible(text) == text
