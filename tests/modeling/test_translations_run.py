"""What `translate` writes, run through its target: R's lme4 and brms (tests/reference/translations.R), and formulae.

The response, the offset, the columns of the common design, and those of groups' effects are the same, column by column;
formulae's common columns span the same space. What a target cannot say is refused.
"""

import bambi as bmb
import formulae
import numpy as np
import pandas as pd
import pytest
from reading_designs import common_columns, groups_columns, response_of, same_columns, table_of_r

import hiermod as hm
from hiermod.errors import HiermodError
from tests.truth import REFERENCE

FORMULAS = pd.read_csv(REFERENCE / "translations_formulas.csv").set_index("id")
ENTRIES = pd.read_csv(REFERENCE / "translations.csv")
TARGETS = [(number, to) for number in FORMULAS.index for to in ("lme4", "brms", "bambi")]
SAID = [(number, to) for number, to in TARGETS if not FORMULAS.loc[number, to].startswith("!")]


@pytest.fixture(scope="module")
def data():
    return table_of_r()


def parts(number, to, rows):
    """R's columns by part: X, Z, y, offset and weights."""
    entries = ENTRIES[(ENTRIES["id"] == number) & (ENTRIES["target"] == to)]
    made = {}
    for part, own in entries.groupby("part"):
        made[part] = np.zeros((rows, own["position"].max()))
        made[part][own["row"], own["position"] - 1] = own["value"]
    return made


def spec_of(number, data):
    line = FORMULAS.loc[number]
    return hm.model(line["hiermod"], data, line["family"], compress=False)._defined.spec


@pytest.mark.parametrize(("number", "to"), TARGETS)
def test_what_is_written_is_what_was_run(number, to):
    line = FORMULAS.loc[number]
    if line[to].startswith("!"):
        with pytest.raises(HiermodError) as caught:
            hm.translate(line["hiermod"], to)
        assert str(caught.value).startswith(line[to][1:])
    else:
        assert hm.translate(line["hiermod"], to) == line[to]


@pytest.mark.parametrize(("number", "to"), [case for case in SAID if case[1] != "bambi"])
def test_r_reads_the_same_design(number, to, data):
    spec, made = spec_of(number, data), parts(number, to, len(data))
    common, varying = common_columns(spec), groups_columns(spec)
    rank = np.linalg.matrix_rank(common)
    if rank == common.shape[1]:
        same_columns(common, made["X"])
    else:  # lme4 drops columns that are combinations of others
        assert np.linalg.matrix_rank(made["X"]) == np.linalg.matrix_rank(np.hstack([common, made["X"]])) == rank
    if varying.shape[1]:
        same_columns(varying[:, varying.any(axis=0)], made["Z"][:, made["Z"].any(axis=0)])
    outcome, trials = response_of(spec)
    if spec.formula.weights:  # rows are repeated here
        times = made["weights"][:, 0].astype(int)
        np.testing.assert_array_equal(times, data[spec.formula.weights])
        made["y"] = made["y"].repeat(times, axis=0)
        made |= {name: made[name].repeat(times, axis=0) for name in ("trials",) if name in made}
    if trials is not None and to == "lme4":
        np.testing.assert_array_equal(made["y"], np.column_stack([outcome, trials - outcome]))
    else:
        np.testing.assert_allclose(made["y"][:, 0], outcome, rtol=1e-12)
    if trials is not None and to == "brms":
        np.testing.assert_array_equal(made["trials"][:, 0], trials)
    offset = sum((spec.cells.frame[name].to_numpy(float) for name in spec.formula.offsets), np.zeros(len(data)))
    theirs = made.get("offset", np.zeros((len(data), 1)))[:, 0]
    theirs = theirs + np.log(made["rate"][:, 0]) if "rate" in made else theirs
    np.testing.assert_allclose(theirs, offset, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("number", [number for number, to in SAID if to == "bambi"])
def test_formulae_reads_the_same_columns(number, data):
    text = FORMULAS.loc[number, "bambi"]
    spec = spec_of(number, data)
    frame = data.assign(b=data["b"].astype(str))  # formulae has no booleans
    frame["o"] = pd.Categorical(frame["o"].astype(str), categories=data["o"].cat.categories)
    matrices = formulae.design_matrices(text, frame)
    theirs = [np.asarray(matrices.common[name]).reshape(len(frame), -1) for name in matrices.common.terms]
    kinds = [term.kind for term in matrices.common.terms.values()]
    columns = np.hstack([own for own, kind in zip(theirs, kinds, strict=True) if kind != "offset"])
    ours = common_columns(spec)
    rank = np.linalg.matrix_rank(ours)
    assert np.linalg.matrix_rank(columns) == np.linalg.matrix_rank(np.hstack([ours, columns])) == rank
    varying = groups_columns(spec)
    if matrices.group is not None:
        made = np.hstack([matrices.group[name].toarray() for name in matrices.group.terms])
        same_columns(varying[:, varying.any(axis=0)], made[:, made.any(axis=0)])
    offset = sum((own[:, 0] for own, kind in zip(theirs, kinds, strict=True) if kind == "offset"), np.zeros(len(frame)))
    expected = sum((spec.cells.frame[name].to_numpy(float) for name in spec.formula.offsets), np.zeros(len(frame)))
    np.testing.assert_allclose(offset, expected, rtol=1e-12, atol=1e-12)


def test_bambi_weights_rows_as_often_as_they_count(data):
    text = hm.translate("y | weights(n) ~ x", "bambi")
    assert text == "weighted(y, n) ~ x"
    priors = {"x": bmb.Prior("Normal", mu=0, sigma=1), "sigma": bmb.Prior("HalfNormal", sigma=2),
              "Intercept": bmb.Prior("Normal", mu=0, sigma=5)}  # fmt: skip
    weighted = bmb.Model(text, data, priors=priors, center_predictors=False)
    rows = data.loc[data.index.repeat(data["n"])].reset_index(drop=True)
    repeated = bmb.Model("y ~ x", rows, priors=priors, center_predictors=False)
    seen = []
    for model in (weighted, repeated):
        model.build()
        seen.append(model.backend.model.compile_logp())
    for shift in (0.0, 0.3, -0.7):
        point = {name: np.asarray(value) + shift for name, value in weighted.backend.model.initial_point().items()}
        np.testing.assert_allclose(seen[0](point), seen[1](point), rtol=1e-10)
