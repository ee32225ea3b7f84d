"""Texts by the hundred thousand: nothing but formulas and FormulaErrors, nothing evaluated, time linear in length."""

import random
import sys
import time

import pytest

from hiermod.errors import FormulaError
from hiermod.formula.parser import parse

PIECES = [
    *"~+-*/:|()`,.^=[]{}'\"%01 9xyzgsn_\\#!&@;<>\n\t", "||", "**", "%in%", "y ~ x", "(1 | g)", "log(", "poly(x, 2)",
    "I(", "offset(", "cbind(", "p(", "trials(", "weights(", "c(", "C(g, sum)", "TRUE", "1e9", "é", "变", "\x00", "🙂",
    "__class__", "__import__('os').system('x')", "lambda: 0", "import os", "exec(", "eval(", "().__class__.__base__",
    "x.__globals__", "9**9**9", "os.system", "{x}", "[0]", "y['a']", "`a b`",
]  # fmt: skip
FORBIDDEN = ("open", "exec", "compile", "import", "os.", "subprocess", "socket")


def read_or_refuse(text):
    """Whether a text is a formula; where it is none, the caret must stand inside it."""
    refusal = None
    try:
        parse(text)
    except FormulaError as error:
        refusal = error
    if refusal is not None:
        assert 0 <= refusal.start < refusal.end <= max(len(text), 1) or refusal.start == len(text)
        assert "^" in str(refusal).splitlines()[-1]
    return refusal is None


@pytest.mark.slow
def test_a_hundred_thousand_texts_are_read_or_refused_and_nothing_is_evaluated():
    rng = random.Random(20)
    events = []
    watching = True

    def watch(event, _):
        if watching and event.startswith(FORBIDDEN):
            events.append(event)

    sys.addaudithook(watch)
    read = sum(read_or_refuse("".join(rng.choices(PIECES, k=rng.randint(1, 25)))) for _ in range(60_000))
    read += sum(read_or_refuse("y ~ " + "".join(rng.choices(PIECES, k=rng.randint(1, 8)))) for _ in range(40_000))
    watching = False
    assert read > 500
    assert events == []


@pytest.mark.parametrize(
    "piece", ["x + ", "x:z + ", "(x) + ", "log(x) + ", "`a b` + ", "(1 | g) + ", "'a' + ", "- ", "(", "x*"]
)
def test_time_grows_with_the_text_and_not_faster(piece):
    def seconds(count):
        text = "y ~ " + piece * count
        best = float("inf")
        for _ in range(5):
            start = time.process_time()
            read_or_refuse(text)
            best = min(best, time.process_time() - start)
        return best

    short, long = 18_000 // len(piece) // 8, 18_000 // len(piece)
    assert seconds(long) < 8 * 3 * seconds(short) + 0.01
