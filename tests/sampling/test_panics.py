"""Panics of compiled Rust code, which are no exceptions to Python, reach users as errors of hiermod."""

import narwhals as nw
import pytest

import hiermod as hm
from hiermod.engine import nutpie_core
from hiermod.errors import DataError, InterruptedSamplingError, SamplingError
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


class GivenUp:
    """A sampler all of whose parts give up, as they do once one did."""

    wait = abort = take_results = staticmethod(panicking)


@pytest.mark.parametrize(
    ("why", "expected"), [(PanicException("a chain gave up"), RuntimeError), (SystemExit("the end"), SystemExit)]
)
def test_of_a_sampler_that_is_stopped_after_it_gave_up(monkeypatch, why, expected):
    def wait_for(wait, meanwhile):
        raise why

    monkeypatch.setattr(nutpie_core, "wait_for", wait_for)
    chains = nutpie_core.Chains(GivenUp(), 3, frozenset(nutpie_core._threads()))
    with pytest.raises(expected, match=r"a chain gave up|the end"):
        chains.wait()
    assert chains.abort().draws.shape == (0, 0, 3)


def test_of_nutpies_results(monkeypatch):
    monkeypatch.setattr(nutpie_core, "wait_for", lambda wait, meanwhile: None)
    with pytest.raises(RuntimeError, match="a compiled part gave up"):
        nutpie_core.Chains(GivenUp(), 3, frozenset()).wait()


def test_of_nutpie_when_interrupted(monkeypatch):
    import nutpie

    monkeypatch.setattr(nutpie, "sample", lambda *_, **__: GivenUp())
    monkeypatch.setattr(nuts, "_waited", raising(KeyboardInterrupt))
    compiled = nuts.Compiled(None, native.ChosenEngine("pymc"))
    with pytest.raises(InterruptedSamplingError, match="before"):
        compiled.run(nuts.Settings(), progress=False)


def raising(kind):
    def raised(*_, **__):
        raise kind

    return raised


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
