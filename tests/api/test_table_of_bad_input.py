"""Nine hundred slips: each ends before anything is sampled, in its class of error, with its culprit and a remedy."""

import contextlib
import io
import re

import pytest
from bad_input_rows import ALL

from hiermod.errors import HiermodError


def fault_of(row, fit):
    """What is wrong with the error of a row; nothing, where it is as the table says."""
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            row.call(fit)
        except HiermodError as error:
            message = " ".join(str(error).split())
            if not isinstance(error, row.error):
                return f"{row.what}: {type(error).__name__}: {message}"
            if row.culprit not in str(error):
                return f"{row.what}: names no {row.culprit!r}: {message}"
            return "" if re.search(row.remedy, message) else f"{row.what}: no remedy {row.remedy!r}: {message}"
    return f"{row.what}: no error"


def test_each_slip_has_its_class_culprit_and_remedy(country_fit, monkeypatch):
    monkeypatch.setattr("hiermod.interface.fit.sample", lambda *_: pytest.fail("something was sampled"))
    assert [fault for row in ALL if (fault := fault_of(row, country_fit))] == []


def test_the_table_is_long_and_no_row_stands_twice():
    assert len(ALL) >= 700
    assert len({row.what for row in ALL}) == len(ALL)
