"""What notebooks show never fails, whatever the labels and numbers, and shows labels as text."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hiermod.answers.answer import Question, make_answer
from hiermod.answers.deciding.sample_ratio import SampleRatio
from hiermod.answers.deciding.verdicts import Decision
from hiermod.answers.scales import CONTRASTS, PARAMETERS, PREDICTIONS, RATES

TAGS = {"table", "thead", "tbody", "tr", "th", "td", "svg", "polygon", "line", "p", "strong", "div", "style", "pre"}
ODD = [
    "<script>alert(1)</script>",
    "a & b",
    '" onload="x',
    "$x_1$",
    "",
    "new\nline",
    "\\frac{1}{2}",
    "🙂",
    "ünï",
    "</td>",
    "nan",
]
LABELS = st.one_of(
    st.sampled_from(ODD), st.text(max_size=8), st.integers(-(10**12), 10**12), st.floats(allow_nan=False),
    st.booleans(), st.dates(),
)  # fmt: skip
NUMBERS = st.one_of(
    st.floats(-10, 10), st.just(0.0), st.just(np.nan), st.just(np.inf), st.just(-np.inf), st.floats(1e290, 1.7e308),
    st.floats(-1.7e308, -1e290), st.floats(0.0, 1e-300), st.just(1e15),
)  # fmt: skip
SCALES = [*CONTRASTS.values(), RATES, *PREDICTIONS.values(), PARAMETERS]


class Tags(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text.append(data)


@st.composite
def answers(draw):
    """Answers of none to four rows with any labels, each of draws that share a value or none."""
    rows, chains, count = draw(st.integers(0, 4)), draw(st.integers(1, 3)), draw(st.sampled_from([1, 3, 50, 200]))
    names = [draw(LABELS.map(str)) for _ in range(draw(st.integers(1, 2)))]
    labels = {name: draw(st.lists(LABELS, min_size=rows, max_size=rows)) for name in names}
    keys = pd.DataFrame({name: pd.Series(own, dtype=object) for name, own in labels.items()})
    values = np.empty((rows, chains * count))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    for row in range(rows):
        kinds = np.array(draw(st.lists(NUMBERS, min_size=1, max_size=3)))
        spread = draw(st.sampled_from([0.0, 1.0, 1e300]))
        values[row] = rng.choice(kinds, chains * count) + spread * rng.uniform(-0.5, 0.5, chains * count)
    question = Question(
        "effect", draw(st.sampled_from(SCALES)), prob=draw(st.floats(0.01, 0.99)), threshold=0.5, rope=(-1.0, 1.0),
        median=draw(st.booleans()), remark=draw(st.sampled_from(["", "a < b & c"])),
    )  # fmt: skip
    columns = {"prob_beats": rng.uniform(size=rows), "expected_loss": np.abs(values).min(axis=1, initial=1.0)}
    return make_answer(values, keys, (chains, count), question, "x", columns=columns)


@settings(deadline=None, max_examples=150, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(answers())
def test_an_answer_shows_itself(answer):
    page = Tags(answer._repr_html_())
    assert page.tags <= TAGS
    shown = "".join(page.text)
    for label in answer.table.iloc[:, 0]:
        if isinstance(label, str) and label in ODD:
            assert label.replace("\n", " ") in shown
    assert repr(answer) is not None
    assert answer.to_markdown() is not None
    assert answer.to_latex() is not None


TABLES = st.dictionaries(
    st.one_of(st.sampled_from(ODD), st.text(max_size=6)), st.lists(st.one_of(NUMBERS, LABELS), min_size=2, max_size=2),
    max_size=4,
).map(lambda columns: pd.DataFrame(columns, dtype=object))  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(TABLES, st.sampled_from(ODD))
def test_other_results_show_themselves(table, words):
    for result in (Decision(table, words, words), Decision(table.iloc[:0], words), SampleRatio(table, [words, words])):
        assert Tags(result._repr_html_()).tags <= TAGS | {"br"}
        assert repr(result) is not None
