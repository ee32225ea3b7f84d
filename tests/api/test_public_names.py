"""The names that users type, and what importing them costs."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import hiermod as hm

PUBLIC = [
    "Family", "Fit", "Functional", "Model", "Parameter", "compare", "errors", "example", "expected_loss", "fit",
    "from_bambi",
    "glmer", "grid", "inv_logit", "lmer", "load", "logit", "model", "plan", "plot_scenarios", "pool", "prior_from",
    "prob_beats", "prob_best", "register",
    "register_family", "report", "srm", "table", "translate",
]  # fmt: skip


def test_public_names_are_there():
    assert hm.__all__ == PUBLIC
    for name in PUBLIC:
        assert getattr(hm, name) is not None


def test_importing_hiermod_loads_the_standard_library_alone():
    code = """
import sys
before = set(sys.modules)
import hiermod
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(loaded - set(sys.stdlib_module_names) - {"hiermod"}))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_no_module_bears_the_name_of_a_public_function():
    folder = Path(hm.__file__).parent
    modules = {path.stem for path in folder.iterdir()}
    assert not modules & (set(PUBLIC) - {"errors"})


def test_signatures_are_those_of_the_contract():
    signature = inspect.signature(hm.fit)
    shown = ", ".join(f"{name}={own.default!r}" if own.default is not own.empty else name
                      for name, own in signature.parameters.items())  # fmt: skip
    assert shown == (
        "formula, data, family=None, priors=None, pooling='normal', draws=1000, tune=None, chains=4, cores=None, "
        "seed=None, target_accept=None, engine='auto', file=None, progress=True, na='drop', compress=True, "
        "intercept_at='mean', ziformula=None, dispformula=None"
    )
    keywords = [name for name, own in signature.parameters.items() if own.kind is own.KEYWORD_ONLY]
    assert keywords[0] == "priors"
    names = list(inspect.signature(hm.model).parameters)
    glmmtmb = ["ziformula", "dispformula"]
    assert names == ["formula", "data", "family", "priors", "pooling", "na", "compress", "intercept_at", *glmmtmb]


def test_every_public_docstring_has_an_example():
    for name in set(PUBLIC) - {"errors"}:
        assert ">>>" in (getattr(hm, name).__doc__ or ""), name


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = hm.nothing
