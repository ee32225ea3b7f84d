"""Panics of compiled Rust code, which are no exceptions to Python, reach users as errors of hiermod."""

import narwhals as nw
import pytest

import hiermod as hm
from hiermod.engine import nutpie_core
from hiermod.errors import DataError, SamplingError
from hiermod.sampling import native, nuts


class PanicException(BaseException):
    """As PyO3 raises it."""


def panicking(*_, **__):
    raise PanicException("called `Result::unwrap()` on an `Err` value")


@pytest.fixture
def model():
    return hm.model("success ~ treated", hm.example("country"))


@pytest.mark.parametrize("place", ["start", "wait_for"])
def test_of_the_engine(model, monkeypatch, place):
    monkeypatch.setattr(nutpie_core, place, panicking)
    with pytest.raises(SamplingError, match="a compiled part gave up: called `Result::unwrap"):
        model.fit(draws=50, chains=2, seed=1, progress=False)
    monkeypatch.undo()
    assert model.fit(draws=50, chains=2, seed=1, progress=False).posterior.sizes["draw"] == 50


def test_of_nutpie(monkeypatch):
    import nutpie

    monkeypatch.setattr(nutpie, "sample", panicking)
    compiled = nuts.Compiled(None, native.ChosenEngine("pymc"))
    with pytest.raises(SamplingError, match="a compiled part gave up"):
        compiled.run(nuts.Settings(), progress=False)


def test_of_a_data_frame(monkeypatch):
    monkeypatch.setattr(nw, "from_native", panicking)
    with pytest.raises(DataError, match="cannot be read: a compiled part gave up"):
        hm.model("success ~ treated", hm.example("country"))


def test_other_exits_pass():
    with pytest.raises(SystemExit), hm.errors.panics_as_errors():
        raise SystemExit
