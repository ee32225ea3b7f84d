"""The text of arguments that questions share."""

import inspect

import pytest

from hiermod.interface.arguments import ENTRIES, PLACE, documented
from hiermod.interface.fit import Fit

QUESTIONS = (
    "rates", "effect", "prob_beats", "pairwise", "best", "interaction", "slopes", "decide", "nnt", "sensitivity",
)  # fmt: skip


def test_lists_of_names_become_entries():
    @documented
    class Asked:
        def rates(self, by, groups):
            """Rates.

            Parameters
            ----------
            by, goal
                As in every question.
            groups : str
                Another thing.
            """

    text = inspect.getdoc(Asked.rates)
    assert "by : str or list of str, optional\n    Columns whose combinations" in text
    assert 'goal : {"max", "min"}\n    ``"min"`` where lower is better.\ngroups : str\n    Another thing.' in text


def test_an_argument_without_text_is_an_error():
    with pytest.raises(KeyError, match="nothing"):

        @documented
        class Asked:
            def rates(self, nothing):
                """Rates.

                nothing
                    As in every question.
                """


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_describe_each_of_their_arguments(question):
    method = getattr(Fit, question)
    text = inspect.getdoc(method)
    assert not PLACE.search(method.__doc__)
    assert "As in every question" not in text
    for name in set(inspect.signature(method).parameters) - {"self"}:
        assert f"\n{name} : " in text, (question, name)
        if name in ENTRIES:
            assert text.count(f"\n{name} : ") == 1
