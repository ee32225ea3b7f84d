"""Pairings times operations, interactions, slopes: by hand, on posteriors of two draws."""

import numpy as np
import pandas as pd
import pytest
from answer_tools import drawn
from scipy import integrate, stats

import hiermod as hm
from hiermod.errors import AnswerError

TOLERANCE = {"rtol": 1e-12, "atol": 1e-14}
ROWS = pd.DataFrame(
    {
        "arm": ["A", "B", "C", "A", "B", "C"],
        "sex": ["f", "f", "f", "m", "m", "m"],
        "s": [3, 4, 5, 2, 1, 6],
        "n": [10, 5, 8, 4, 2, 7],
    }
)
B0 = np.array([0.1, -0.4])
ARM = {"A": np.zeros(2), "B": np.array([0.5, 0.2]), "C": np.array([-0.3, 0.6])}
MALE = np.array([0.7, -0.2])
BOTH = {"A": np.zeros(2), "B": np.array([0.4, -0.1]), "C": np.array([-0.6, 0.3])}


def expit(eta):
    return 1.0 / (1.0 + np.exp(-eta))


@pytest.fixture(scope="module")
def fit():
    several = {name: np.column_stack([own["B"], own["C"]]) for name, own in (("arm", ARM), ("arm:sex", BOTH))}
    return drawn("s/n ~ arm * sex", ROWS, Intercept=B0, sex=MALE[:, None], **several)


def eta(arm, sex):
    return B0 + ARM[arm] + (MALE + BOTH[arm]) * (sex == "m")


def arm_mean(arm, sex=None, of=expit):
    """Everybody in one arm: the average over all rows, or those of one sex."""
    rows = ROWS if sex is None else ROWS[ROWS["sex"] == sex]
    return np.average([of(eta(arm, row.sex)) for row in rows.itertuples()], axis=0, weights=rows["n"])


OPERATIONS = {
    "difference": lambda t, c: t - c,
    "ratio": lambda t, c: t / c,
    "lift": lambda t, c: t / c - 1,
    "odds_ratio": lambda t, c: t / (1 - t) * (1 - c) / c,
    "link": lambda t, c: t - c,
}
OTHERS = {"A": -0.5, "B": -0.5, "C": 1}
PAIRINGS = {
    "control": {"B vs A": ({"B": 1}, {"A": 1}), "C vs A": ({"C": 1}, {"A": 1})},
    "pairs": {"B vs A": ({"B": 1}, {"A": 1}), "C vs A": ({"C": 1}, {"A": 1}), "C vs B": ({"C": 1}, {"B": 1})},
    "sequential": {"B vs A": ({"B": 1}, {"A": 1}), "C vs B": ({"C": 1}, {"B": 1})},
    "mean": {f"{arm} vs mean": ({arm: 1}, {"A": 1 / 3, "B": 1 / 3, "C": 1 / 3}) for arm in "ABC"},
    "others": {"C vs others": ({"C": 1}, {"A": 0.5, "B": 0.5})},
}


@pytest.mark.parametrize("scale", OPERATIONS)
@pytest.mark.parametrize("pairing", PAIRINGS)
def test_every_pairing_with_every_operation(fit, pairing, scale):
    contrast = {"C vs others": OTHERS} if pairing == "others" else pairing
    answer = fit.effect("arm", contrast=contrast, scale=scale, threshold=0.05, rope=(-0.1, 0.2))
    assert answer.table["contrast"].to_list() == list(PAIRINGS[pairing])
    of = (lambda eta: eta) if scale == "link" else expit
    for label, sides in PAIRINGS[pairing].items():
        treated, control = (sum(w * arm_mean(arm, of=of) for arm, w in side.items()) for side in sides)
        expected = OPERATIONS[scale](treated, control)
        np.testing.assert_allclose(answer.draws.sel(contrast=label).to_numpy().ravel(), expected, **TOLERANCE)
        row = answer.table.set_index("contrast").loc[label]
        treated, control = (sum(w * arm_mean(arm) for arm, w in side.items()) for side in sides)
        np.testing.assert_allclose(row["prob_beats"], np.mean(treated > control), **TOLERANCE)
        np.testing.assert_allclose(row["expected_loss"], np.maximum(control - treated, 0).mean(), **TOLERANCE)
        np.testing.assert_allclose(row["prob_exceeds"], np.mean(expected > 0.05), **TOLERANCE)
        np.testing.assert_allclose(row["prob_rope"], np.mean((expected >= -0.1) & (expected <= 0.2)), **TOLERANCE)


def test_weights_keep_their_size_in_differences_and_leave_ratios_alone(fit):
    large = {"linear": {"A": -2, "C": 2}}
    c, a = arm_mean("C"), arm_mean("A")
    for scale, expected in (("difference", 2 * (c - a)), ("ratio", c / a)):
        found = fit.effect("arm", contrast=large, scale=scale).draws.to_numpy().ravel()
        np.testing.assert_allclose(found, expected, **TOLERANCE)
    loss = fit.effect("arm", contrast=large).table["expected_loss"]
    np.testing.assert_allclose(loss, 2 * np.maximum(a - c, 0).mean(), **TOLERANCE)


def test_where_lower_is_better(fit):
    table = fit.effect("arm", contrast="sequential", goal="min", threshold=-0.05).table
    change = arm_mean("B") - arm_mean("A")
    np.testing.assert_allclose(table["prob_exceeds"][0], np.mean(change < -0.05), **TOLERANCE)
    np.testing.assert_allclose(table["prob_beats"][0], np.mean(change < 0), **TOLERANCE)


INTERACTIONS = {
    "difference": lambda here, there: here - there,
    "ratio": lambda here, there: here / there,
    "lift": lambda here, there: here - there,
    "odds_ratio": lambda here, there: here / there,
    "link": lambda here, there: here - there,
}


@pytest.mark.parametrize("scale", INTERACTIONS)
def test_an_interaction_is_a_difference_of_effects(fit, scale):
    answer = fit.interaction("arm", "sex", scale=scale, contrast="pairs", threshold=0.3)
    assert list(answer.table.columns[:2]) == ["contrast", "between"]
    of = (lambda eta: eta) if scale == "link" else expit
    for row in answer.table.itertuples():
        one, other = row.contrast.split(" vs ")
        effect = {sex: OPERATIONS[scale](arm_mean(one, sex, of), arm_mean(other, sex, of)) for sex in "fm"}
        expected = INTERACTIONS[scale](effect["m"], effect["f"])
        found = answer.draws.sel(contrast=row.contrast, between=row.between).to_numpy().ravel()
        np.testing.assert_allclose(found, expected, **TOLERANCE)
        null = 1 if "ratio" in scale else 0
        np.testing.assert_allclose(row.prob_beats, np.mean(expected > null), **TOLERANCE)
        np.testing.assert_allclose(row.prob_exceeds, np.mean(expected > 0.3), **TOLERANCE)


def test_an_interaction_across_values_of_a_number_and_by_another_column():
    rows = pd.DataFrame({"t": [0, 1, 0, 1, 0, 1], "x": [0.0, 1.0, 2.0, 5.0, 3.0, 2.0], "k": list("uuvvuv"),
                         "y": [1.0, 2.0, 3.0, 5.0, 4.0, 6.0]})  # fmt: skip
    fit = drawn("y ~ t * x + k", rows, Intercept=[0, 0], t=[1, 2], x=[3, 4], k=[[1], [2]], sigma=[1, 1],
                **{"t:x": [0.5, -0.25]})  # fmt: skip
    answer = fit.interaction("t", {"x": [0, 2, 3]}, by="k", between="sequential")
    assert answer.table[["k", "between"]].to_numpy().tolist() == [
        ["u", "2 vs 0"], ["u", "3 vs 2"], ["v", "2 vs 0"], ["v", "3 vs 2"],
    ]  # fmt: skip
    found = answer.draws.to_numpy().reshape(2, 4)
    np.testing.assert_allclose(found, np.outer([0.5, -0.25], [2, 1, 2, 1]), **TOLERANCE)


def bad_sum(fit):
    return fit.effect("arm", contrast={"odd": {"A": -1, "B": 2}})


BAD = {
    "contrast='all': 'control', 'pairs'": lambda fit: fit.effect("arm", contrast="all"),
    "control='A' belongs to contrast='control'": lambda fit: fit.effect("arm", contrast="pairs", control="A"),
    "'arm' has no level 'D' to be the control. There is: 'A', 'B', 'C'": lambda fit: fit.effect("arm", control="D"),
    "contrast 'odd': the weights add up to 1; those of a contrast add up to 0": bad_sum,
    "contrast 'odd': 'arm' has no level 'E'": lambda fit: fit.effect("arm", contrast={"odd": {"E": 1}}),
    "contrast 'odd': all weights are 0": lambda fit: fit.effect("arm", contrast={"odd": {"A": 0}}),
    "contrast 'odd': the weight of 'A' is 'x'": lambda fit: fit.effect("arm", contrast={"odd": {"A": "x"}}),
    "contrast 'odd': a weight for each level": lambda fit: fit.effect("arm", contrast={"odd": [1, -1]}),
    "contrast={}: no contrast is given": lambda fit: fit.effect("arm", contrast={}),
    "'sex' is what the effect is compared across": lambda fit: fit.interaction("arm", "sex", by="sex"),
    "across=None: the name of one column": lambda fit: fit.interaction("arm", None),
    "Only sex 'f' is there": lambda fit: fit.interaction("arm", {"sex": ["f"]}),
    "'arm' holds levels, so it has no slope": lambda fit: fit.slopes("arm"),
    "variable: the model has no column 'arn'. Did you mean 'arm'": lambda fit: fit.slopes("arn"),
    "scale='ratio'. There is: 'response', 'link'": lambda fit: fit.slopes("arm", scale="ratio"),
}


@pytest.mark.parametrize("message", BAD)
def test_contrasts_that_cannot_be_made(fit, message):
    with pytest.raises(AnswerError, match=message):
        BAD[message](fit)


def test_far_too_many_arms():
    size = 100_000
    rng = np.random.default_rng(0)
    many = pd.DataFrame({"x": rng.normal(size=size), "k": rng.choice(list("ab"), size), "y": rng.integers(0, 2, size)})
    fit = drawn("y ~ x + k", many, Intercept=[0.0], x=[1.0], k=[[1.0]])
    for ask in (fit.effect, fit.best, fit.pairwise, fit.decide):
        with pytest.raises(AnswerError, match=r"'x' has 100000 distinct numbers.*fit.slopes\('x'\)"):
            ask("x")


LINKS = {
    "logit": (expit, lambda eta: expit(eta) * (1 - expit(eta))),
    "probit": (stats.norm.cdf, stats.norm.pdf),
    "cloglog": (lambda eta: -np.expm1(-np.exp(eta)), lambda eta: np.exp(eta - np.exp(eta))),
}
NUMBERS = pd.DataFrame(
    {"x": [0.5, 1.5, 2.0, 3.0], "k": list("uvuv"), "g": list("aabb"), "s": [1, 3, 2, 2], "n": [4, 6, 3, 5]}
)
GX = {"1|g": np.array([[0.3, -0.4], [0.1, 0.6]]), "x|g": np.array([[0.2, -0.1], [-0.3, 0.5]]),
      "1|g_sigma": np.array([0.7, 0.9]), "x|g_sigma": np.array([0.4, 0.2]),
      "1+x|g_cor": np.array([[0.5], [-0.3]])}  # fmt: skip
A0, AX, AK, AXK = np.array([0.2, -0.1]), np.array([0.4, -0.3]), np.array([0.5, 0.1]), np.array([-0.2, 0.6])


@pytest.mark.parametrize("link", LINKS)
def test_the_average_slope_is_the_mean_of_exact_derivatives(link):
    fit = drawn("s/n ~ x * k + (1 + x | g)", NUMBERS, f"binomial({link})", Intercept=A0, x=AX, k=AK[:, None],
                **{"x:k": AXK[:, None]}, **GX)  # fmt: skip
    inverse, density = LINKS[link]
    parts, totals = [], []
    for row in NUMBERS.itertuples():
        place, v = "ab".index(row.g), float(row.k == "v")
        rise = AX + AXK * v + GX["x|g"][:, place]
        eta = A0 + AK * v + GX["1|g"][:, place] + rise * row.x
        parts.append(density(eta) * rise), totals.append(rise)
    found = fit.slopes("x").draws.to_numpy().ravel()
    np.testing.assert_allclose(found, np.average(parts, axis=0, weights=NUMBERS["n"]), **TOLERANCE)
    on_link = fit.slopes("x", scale="link").draws.to_numpy().ravel()
    np.testing.assert_allclose(on_link, np.average(totals, axis=0, weights=NUMBERS["n"]), **TOLERANCE)
    by = fit.slopes("x", by="g").table.set_index("g")["estimate"]
    own = NUMBERS["g"] == "b"
    expected = np.average(np.array(parts)[own], axis=0, weights=NUMBERS["n"][own]).mean()
    np.testing.assert_allclose(by["b"], expected, **TOLERANCE)

    # over the population of groups, at one x: the derivative of the integral, here by a difference of integrals
    def population(x, draw):
        sd = np.sqrt(GX["1|g_sigma"][draw] ** 2 + (x * GX["x|g_sigma"][draw]) ** 2
                     + 2 * x * GX["1+x|g_cor"][draw, 0] * GX["1|g_sigma"][draw] * GX["x|g_sigma"][draw])  # fmt: skip
        mean = A0[draw] + AX[draw] * x
        return integrate.quad(lambda z: inverse(mean + sd * z) * stats.norm.pdf(z), -12, 12, epsabs=1e-14)[0]

    data = pd.DataFrame({"k": ["u"]})
    found = fit.slopes("x", at={"x": 1.2}, data=data, groups="population").draws.to_numpy().ravel()
    step = 1e-3
    ends = [[population(1.2 + side * step, draw) for side in (-2, -1, 1, 2)] for draw in range(2)]
    expected = np.array(ends) @ np.array([1, -8, 8, -1]) / (12 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_slopes_of_what_functions_make_of_a_column():
    rows = pd.DataFrame({"x": [0.01, 0.7, 2.0, 5.0], "y": [1.0, 2.0, 3.0, 5.0]})
    terms = {"log(x)": lambda x: 1 / x, "I(x^2)": lambda x: 2 * x, "sqrt(x)": lambda x: 0.5 / np.sqrt(x),
             "exp(-x)": lambda x: -np.exp(-x)}  # fmt: skip
    for term, derivative in terms.items():
        fit = drawn(f"y ~ {term}", rows, compress=False, Intercept=[0.0], sigma=[1.0],
                    **{str(hm.model(f"y ~ {term}", rows)._defined.spec.formula.common[0]): [2.0]})  # fmt: skip
        table = fit.slopes("x", at={"x": [0.01, 0.7, 5.0]}).table
        for row in table.itertuples():
            np.testing.assert_allclose(row.estimate, 2 * derivative(row.x), rtol=1e-10)
    basis = drawn("y ~ poly(x, 2)", rows, compress=False, Intercept=[0.0], sigma=[1.0], **{"poly(x, 2)": [[1.0, 2.0]]})
    at = {value: basis.predict(pd.DataFrame({"x": [value]})).draws.to_numpy().item() for value in (1.0, 2.0, 3.0)}
    parabola = (at[3.0] - at[1.0]) / 2.0  # a parabola's chord is parallel to its tangent half-way
    np.testing.assert_allclose(basis.slopes("x", at={"x": 2.0}).table["estimate"], parabola, rtol=1e-10)


def test_slopes_that_there_are_not():
    rows = pd.DataFrame({"x": [-3.0, -1.0, 2.0, 5.0], "y": [1.0, 2.0, 3.0, 5.0]})
    cut = drawn("y ~ cut(x, 2)", rows, compress=False, Intercept=[0.0], sigma=[1.0], **{"cut(x, 2)": [[1.0]]})
    with pytest.raises(AnswerError, match=r"'x' enters the model in steps, through cut\(x, 2\)"):
        cut.slopes("x")
    kink = drawn("y ~ abs(x)", rows, compress=False, Intercept=[0.0], sigma=[1.0], **{"abs(x)": [1.0]})
    np.testing.assert_allclose(kink.slopes("x").table["estimate"], 0.0, atol=1e-12)  # two fall, two rise
    steep = drawn("y ~ sqrt(x + 3)", rows, compress=False, Intercept=[0.0], sigma=[1.0], **{"sqrt(x + 3)": [1.0]})
    with pytest.raises(AnswerError, match=r"sqrt\(x \+ 3\) has no derivative that can be trusted where x is -3"):
        steep.slopes("x")
