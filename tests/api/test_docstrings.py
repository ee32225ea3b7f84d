"""Every public name has a docstring, and an example that runs."""

from __future__ import annotations

import inspect
import re

import pytest

import hiermod as hm
from hiermod.answers.checks.implied import Implied
from hiermod.answers.checks.outlying import Outlying
from hiermod.answers.deciding.sample_ratio import SampleRatio
from hiermod.answers.deciding.verdicts import Decision
from hiermod.answers.scoring.leave_one_out import LeaveOneOut
from hiermod.answers.scoring.validation import CrossValidation
from hiermod.interface.plots import FitPlots, PriorPlots
from hiermod.sampling.provenance import Provenance
from hiermod.show.explanation import Explanation
from hiermod.show.paper import PaperTable
from hiermod.show.sensitivity import Sensitivity
from hiermod.show.summary import Summary

HOLDERS = (
    hm.Fit, hm.Model, hm.Answer, hm.PriorDraws, hm.ImputedFit, hm.ModelComparison, hm.CheckReport, hm.Plan, FitPlots,
    PriorPlots, PaperTable, Summary, Decision, SampleRatio, Explanation, Sensitivity, Implied, Outlying, Provenance,
    LeaveOneOut, CrossValidation,
)  # fmt: skip
FUNCTIONS = [name for name in hm.__all__ if inspect.isfunction(getattr(hm, name))]
METHODS = [
    (holder, name)
    for holder in HOLDERS
    for name, value in inspect.getmembers(holder)
    if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
]
WITHOUT = {  # they only refuse, or are needed where a `Fit` and others meet
    "PriorDraws.shrinkage",
    "Fit.sampled_posterior",
    "Model.sampled",
    "PaperTable.gt",  # of a package that need not be there
    "Summary.gt",
}


def runs(text):
    """Whether some example of a docstring is run by doctest."""
    lines = re.findall(r"^\s*>>> (.*)", text, flags=re.MULTILINE)
    return any("+SKIP" not in line and not line.startswith("import ") for line in lines)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_examples_that_run(name):
    assert runs(inspect.getdoc(getattr(hm, name)))


@pytest.mark.parametrize(("holder", "name"), METHODS, ids=[f"{holder.__name__}.{name}" for holder, name in METHODS])
def test_methods_have_docstrings_and_examples_that_run(holder, name):
    text = inspect.getdoc(getattr(holder, name)) or ""
    assert text.strip().endswith((".", ")", "`", "'", '"', "]", "}", "...")) or ">>>" in text
    told = "are those of" in text  # arguments and examples stand where they are the same
    assert runs(text) or told or f"{holder.__name__}.{name}" in WITHOUT, text


@pytest.mark.parametrize("name", [*hm.__all__, *(holder.__name__ for holder in HOLDERS)])
def test_names_say_what_they_are(name):
    found = getattr(hm, name, None) or next(holder for holder in HOLDERS if holder.__name__ == name)
    assert (inspect.getdoc(found) or "").strip()
