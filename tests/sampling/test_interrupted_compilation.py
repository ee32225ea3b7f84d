"""Ctrl-C while a compiler works, which may swallow it: one press is enough, and is heard when the compiler is done."""

import contextlib
import signal
from types import SimpleNamespace

import nutpie
import pytest

import hiermod as hm
from hiermod.sampling import native


@pytest.fixture
def ctrl_c():
    """Ctrl-C is heard as Python hears it, whoever started the tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def swallowing(done):
    """A compiler during which somebody presses Ctrl-C, and which goes on whatever is raised."""

    def compiled(*_, **__):
        with contextlib.suppress(BaseException):
            signal.raise_signal(signal.SIGINT)
        done.append(True)
        return SimpleNamespace(functions={})

    return compiled


@pytest.mark.usefixtures("ctrl_c")
def test_of_pytensor(monkeypatch):
    done = []
    monkeypatch.setattr(nutpie, "compile_pymc_model", swallowing(done))
    model = hm.model("success ~ treated", hm.example("country"))
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        model.fit(engine="pymc", progress=False)
    assert done == [True]


@pytest.mark.usefixtures("ctrl_c")
def test_of_the_engine(monkeypatch):
    done = []
    monkeypatch.setattr(native, "library", swallowing(done))
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        hm.fit("success ~ treated", hm.example("country"), progress=False)
    assert done == [True]
