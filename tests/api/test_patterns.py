"""Regular expressions take time in proportion to the text, whatever it is: 20 kB of it take no time."""

import importlib
import pkgutil
import re
import time

import pytest

import hiermod

LENGTH = 20_000
LEFT_OUT = ("kernels", "build", "__main__")
PIECES = [
    *" 01a,.()[]+-$%'#\n\t", "1,", "1.", "1e", "0,", "1,000", " 1", "a ", " a", "\n ", "a=", "link=", "Line: 1\n",
    "Original Line: ", "\n  file = ", "Expected Number of Columns: 1 Found: 1", "sd(", "engine: PyMC (", "://", "::",
]  # fmt: skip
STARTS = ["", "1", "a(", "Normal(0)#", "Line: 1\n", "Expected Number of Columns: 1 "]
ENDS = ["", "!", "\n!"]


def patterns():
    found = {}
    for module in pkgutil.walk_packages(hiermod.__path__, "hiermod."):
        if not any(word in module.name for word in LEFT_OUT):
            for name, value in vars(importlib.import_module(module.name)).items():
                for pattern in value if isinstance(value, tuple) else (value,):
                    if isinstance(pattern, re.Pattern):
                        found.setdefault(pattern, f"{module.name}.{name}")
    return found


def seconds(pattern, text, method):
    start = time.process_time()
    getattr(pattern, method)(text)
    return time.process_time() - start


def test_twenty_thousand_characters_take_no_time():
    found = patterns()
    assert len(found) > 20
    slow = [
        (name, piece, start, end)
        for piece in PIECES
        for start in STARTS
        for end in ENDS
        for pattern, name in found.items()
        if seconds(pattern, start + piece * (LENGTH // len(piece)) + end, "fullmatch") > 0.1
    ]
    assert slow == []


@pytest.mark.parametrize("name", ["RAGGED", "LINE", "ADVICE"])
def test_messages_of_engines_are_searched_in_no_time(name):
    held = vars(importlib.import_module("hiermod.data.sources.connection"))[name]
    for pattern in held if isinstance(held, tuple) else (held,):
        assert max(seconds(pattern, piece * (LENGTH // len(piece)), "search") for piece in PIECES) < 0.1
