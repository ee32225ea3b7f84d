"""What a row of an answer says in words; tables written by hand."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import hiermod as hm
from hiermod.answers.answer import Answer, Measure, Question, outcome_name
from hiermod.answers.scales import CONTRASTS
from hiermod.errors import AnswerError
from hiermod.formula.parser import parse
from hiermod.show.sentences import best_sentences, chance, effect_sentences

SUCCESS = Measure("success rate", percent=True, link="logit")
REACTION = Measure("mean Reaction", percent=False, link="identity")


def effect(row, by=(), outcome=SUCCESS, goal="max", **question):
    """The sentence of a one-row effect: ``contrast, estimate, lower, upper, prob_beats`` and the `by` columns."""
    asked = {"variable": "treated", "scale": "difference", **question}
    scale, control = CONTRASTS[asked.pop("scale")], row["contrast"].split(" vs ")[1]
    sign = 1 if goal == "max" else -1
    asked = Question("effect", scale, outcome, tuple(by), control=control, sign=sign, **asked)
    answer = Answer(xr.DataArray(np.zeros((1, 1, 1)), dims=("chain", "draw", "row")), pd.DataFrame([row]), asked)
    (sentence,) = effect_sentences(answer)
    return sentence


def row(estimate, lower, upper, prob_beats, contrast="1 vs 0", **by):
    return {**by, "contrast": contrast, "estimate": estimate, "lower": lower, "upper": upper} | {
        "prob_beats": prob_beats,
        "expected_loss": 0.01,
    }


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.9946, "a 99.5 % chance"),
        (0.8947, "an 89 % chance"),
        (0.87, "an 87 % chance"),
        (0.71, "a 71 % chance"),
        (0.93, "a 93 % chance"),
        (0.9, "a 90 % chance"),
        (0.5, "a 50 % chance"),
        (0.18, "an 18 % chance"),
        (0.11, "an 11 % chance"),
        (0.08, "an 8 % chance"),
        (0.17, "a 17 % chance"),
        (0.01, "a 1 % chance"),
        (0.99, "a 99 % chance"),
        (0.9904, "a 99 % chance"),
        (0.9989, "a 99.9 % chance"),
        (0.99949, "a 99.9 % chance"),
        (0.9995, "more than a 99.9 % chance"),
        (1.0, "more than a 99.9 % chance"),
        (0.008, "a 0.8 % chance"),
        (0.0005, "a 0.1 % chance"),
        (0.0004, "less than a 0.1 % chance"),
        (0.0, "less than a 0.1 % chance"),
    ],
)
def test_a_chance_has_its_article_and_is_never_certain(probability, words):
    assert chance(probability) == words


def test_every_chance_reads_well():
    for probability in np.linspace(0.0, 1.0, 4001):
        words = chance(probability)
        assert not re.search(r"\b(0|100|100\.0) %", words)
        number = re.search(r"([\d.]+) %", words).group(1)
        spoken_with_vowel = number.startswith("8") or number.split(".")[0] in ("11", "18")
        assert re.search(r"\ban\b", words) is not None if spoken_with_vowel else " an " not in f" {words} "


@pytest.mark.parametrize(
    ("values", "options", "sentence"),
    [
        (
            row(0.1560, 0.031, 0.288, 0.9946, country="Canada"),
            {"by": ["country"]},
            "There is a 99.5 % chance that the treatment raises the success rate in Canada, by 16 points (3 to 29).",
        ),
        (
            row(-0.05, -0.12, 0.03, 0.13, country="China"),
            {"by": ["country"]},
            "There is an 87 % chance that the treatment lowers the success rate in China, by 5 points (-3 to 12).",
        ),
        (
            row(0.05, -0.02, 0.11, 0.93, "B vs A", country="Canada"),
            {"by": ["country"], "variable": "variant"},
            "There is a 93 % chance that variant B has a higher success rate than variant A in Canada, "
            "by 5 points (-2 to 11).",
        ),
        (
            row(-0.25, -0.4, -0.1, 0.0, "B vs A"),
            {"variable": "variant"},
            "There is more than a 99.9 % chance that variant B has a lower success rate than variant A, "
            "by 25 points (10 to 40).",
        ),
        (
            row(0.2, 0.1, 0.3, 1.0, "a vs b vs c vs b", site="x"),
            {"by": ["site"], "variable": "arm"},
            "There is more than a 99.9 % chance that arm a vs b vs c has a higher success rate than arm b in x, "
            "by 20 points (10 to 30).",
        ),
        (
            row(0.03, 0.004, 0.056, 0.98),
            {"variable": "promo"},
            "There is a 98 % chance that promo raises the success rate, by 3.0 points (0.4 to 5.6).",
        ),
        (
            row(0.03, 0.004, 0.056, 0.98, "True vs False"),
            {"variable": "Treatment", "groups": "typical"},
            "There is a 98 % chance that the treatment raises the success rate in a typical group, "
            "by 3.0 points (0.4 to 5.6).",
        ),
        (
            row(0.03, -0.4, 0.56, 0.6),
            {"groups": "new"},
            "There is a 60 % chance that the treatment raises the success rate in a new group, "
            "by 3 points (-40 to 56).",
        ),
        (
            row(0.01, -0.04, 0.06, 0.66),
            {"groups": "population"},
            "There is a 66 % chance that the treatment raises the success rate over the population of groups, "
            "by 1 point (-4 to 6).",
        ),
        (
            row(0.1, 0.02, 0.2, 0.97, year=2024, country="Canada"),
            {"by": ["year", "country"]},
            "There is a 97 % chance that the treatment raises the success rate for year 2024 and country Canada, "
            "by 10 points (2 to 20).",
        ),
        (
            row(0.1, 0.02, 0.2, 0.97, herd="12"),
            {"by": ["herd"]},
            "There is a 97 % chance that the treatment raises the success rate for herd 12, by 10 points (2 to 20).",
        ),
        (
            row(0.1, 0.05, 0.16, 0.97),
            {"prob": 0.8},
            "There is a 97 % chance that the treatment raises the success rate, by 10 points (80 % interval: 5 to 16).",
        ),
        # where lower is better, prob_beats is the chance of a lower outcome
        (
            row(-0.05, -0.12, 0.03, 0.87),
            {"goal": "min"},
            "There is an 87 % chance that the treatment lowers the success rate, by 5 points (-3 to 12).",
        ),
        (
            row(0.05, -0.03, 0.12, 0.13),
            {"goal": "min"},
            "There is an 87 % chance that the treatment raises the success rate, by 5 points (-3 to 12).",
        ),
        # relative scales are told as the table tells them
        (
            row(0.473, 0.08, 1.02, 0.99),
            {"scale": "lift"},
            "There is a 99 % chance that the treatment raises the success rate, a lift of 47 % (8 to 102).",
        ),
        (
            row(-0.1, -0.3, 0.05, 0.1),
            {"scale": "lift"},
            "There is a 90 % chance that the treatment lowers the success rate, a lift of -10 % (-30 to 5).",
        ),
        (
            row(1.473, 1.08, 2.02, 0.99),
            {"scale": "ratio"},
            "There is a 99 % chance that the treatment raises the success rate, a ratio of 1.47 (1.08 to 2.02).",
        ),
        (
            row(1.93, 1.11, 3.402, 0.99),
            {"scale": "odds_ratio"},
            "There is a 99 % chance that the treatment raises the success rate, an odds ratio of 1.93 (1.11 to 3.40).",
        ),
        (
            row(2.0, 1.0, np.inf, 0.99),
            {"scale": "ratio"},
            "There is a 99 % chance that the treatment raises the success rate, a ratio of 2.00 (1.00 to infinity).",
        ),
        (
            row(0.661, 0.12, 1.24, 0.99),
            {"scale": "link"},
            "There is a 99 % chance that the treatment raises the success rate, by 0.7 on the link scale (0.1 to 1.2).",
        ),
        # plain units
        (
            row(-10.47, -13.6, -7.3, 0.0, "1 vs 0"),
            {"variable": "rested", "outcome": REACTION},
            "There is more than a 99.9 % chance that rested lowers the mean Reaction, by 10.5 (7.3 to 13.6).",
        ),
        (
            row(12345.6, 10000.2, 15000.7, 1.0, "b vs a"),
            {"variable": "shift", "outcome": Measure("mean sales", percent=False, link="identity")},
            "There is more than a 99.9 % chance that shift b has a higher mean sales than shift a, "
            "by 12,346 (10,000 to 15,001).",
        ),
        # a mean on the other side of zero from most draws is not claimed to go their way
        (
            row(-0.004, -0.09, 0.06, 0.52),
            {},
            "There is a 52 % chance that the treatment raises the success rate; "
            "the expected change is -0.4 points (-9 to 6).",
        ),
        (
            row(0.004, -0.06, 0.09, 0.48),
            {},
            "There is a 52 % chance that the treatment lowers the success rate; "
            "the expected change is 0.4 points (-6 to 9).",
        ),
        (
            row(0.0, 0.0, 0.0, 0.5),
            {},
            "There is a 50 % chance that the treatment raises the success rate, by 0 points (0 to 0).",
        ),
    ],
)
def test_an_effect_in_words(values, options, sentence):
    assert effect(values, **options) == sentence


def test_a_sentence_for_each_row():
    rows = [row(0.1, 0.0, 0.2, 0.97, country=name) for name in ("Canada", "China", "Peru")]
    asked = Question("effect", CONTRASTS["difference"], SUCCESS, ("country",), "treated", "0")
    answer = Answer(xr.DataArray(np.zeros((1, 1, 3)), dims=("chain", "draw", "row")), pd.DataFrame(rows), asked)
    assert [sentence.split(" in ")[1][:5] for sentence in effect_sentences(answer)] == [
        "Canad",
        "China",
        "Peru,",
    ]


def best(probs, losses, levels="ABCD", name="variant"):
    index = pd.Index(list(levels)[: len(probs)], name=name)
    return pd.DataFrame({"prob_best": probs, "expected_loss": losses, "expected_rank": 1.0}, index=index)


@pytest.mark.parametrize(
    ("table", "goal", "outcome", "sentence"),
    [
        (
            best([0.0, 0.055, 0.233, 0.711], [0.2747, 0.0990, 0.0551, 0.0112]),
            "max",
            SUCCESS,
            "There is a 71 % chance that D is the best of the four variants; "
            "choosing it is expected to lose 1.1 points.",
        ),
        (
            best([0.875, 0.125], [0.0002, 0.12]),
            "max",
            SUCCESS,
            "There is an 88 % chance that A is the better of the two variants; "
            "choosing it is expected to lose less than 0.1 points.",
        ),
        (
            best([1.0, 0.0], [0.0, 0.12]),
            "min",
            SUCCESS,
            "There is more than a 99.9 % chance that A is the better (lower) of the two variants; "
            "choosing it is expected to lose less than 0.1 points.",
        ),
        (
            best([0.1, 0.5, 0.4], [0.3, 0.15, 0.01], name="city"),
            "min",
            SUCCESS,
            "There is a 50 % chance that B is the best (lowest) of the three cities; "
            "choosing it is expected to lose 15 points (least with C: 1.0 points).",
        ),
        (
            best([0.2, 0.8], [4.123, 0.5123], levels=[1, 2], name="dose"),
            "max",
            REACTION,
            "There is an 80 % chance that dose 2 is the better of the two doses; choosing it is expected to lose 0.51.",
        ),
        (
            best([0.0, 1.0], [4.123, 0.0], levels=["10", "20"], name="site_id"),
            "max",
            REACTION,
            "There is more than a 99.9 % chance that site_id 20 is the better of the two levels of site_id; "
            "choosing it is expected to lose nothing.",
        ),
        (
            best([1 / 13] * 13, [0.1] * 13, levels="ABCDEFGHIJKLM", name="box"),
            "max",
            SUCCESS,
            "There is an 8 % chance that A is the best of the 13 boxes; choosing it is expected to lose 10 points.",
        ),
    ],
)
def test_the_best_in_words(table, goal, outcome, sentence):
    assert best_sentences(table, outcome, goal) == [sentence]


def test_the_best_of_each_cell():
    cells = {"Canada": best([0.2, 0.8], [0.1, 0.01]), "China": best([0.6, 0.4], [0.01, 0.02])}
    table = pd.concat(cells, names=["country"])
    assert best_sentences(table, SUCCESS) == [
        "There is an 80 % chance that B is the better of the two variants in Canada; "
        "choosing it is expected to lose 1.0 points.",
        "There is a 60 % chance that A is the better of the two variants in China; "
        "choosing it is expected to lose 1.0 points.",
    ]


@pytest.mark.parametrize(
    ("formula", "is_rate", "name"),
    [
        ("success ~ x", True, "success rate"),
        ("successes/trials ~ x", True, "success rate"),
        ("cbind(clicks, misses) ~ x", True, "click rate"),
        ("incidence/size ~ x", True, "incidence rate"),
        ("s/n ~ x", True, "s rate"),
        ("p(rate * n, n) ~ x", True, "success rate"),
        ("Reaction ~ x", False, "mean Reaction"),
        ("ticks ~ x", False, "mean ticks"),
    ],
)
def test_an_outcome_is_named_after_the_response(formula, is_rate, name):
    assert outcome_name(parse(formula).response, is_rate) == name


def test_an_unknown_goal_is_refused():
    with pytest.raises(AnswerError, match="goal='most'"):
        best_sentences(best([0.2, 0.8], [0.1, 0.01]), SUCCESS, "most")


@pytest.mark.parametrize(
    ("probability", "size", "words"),
    [
        (1.0, 4000, "more than a 99.9 % chance"),
        (1.0, 400, "more than a 99.7 % chance"),
        (0.9989, 400, "more than a 99.7 % chance"),
        (0.9974, 400, "a 99.7 % chance"),
        (1.0, 100, "more than a 99 % chance"),
        (1.0, 30, "more than a 96 % chance"),
        (1.0, 9, "more than an 88 % chance"),
        (0.0, 400, "less than a 0.3 % chance"),
        (0.0, 30, "less than a 4 % chance"),
        (1.0, 1.0, "more than a 50 % chance"),
        (0.8, 30, "an 80 % chance"),
    ],
)
def test_no_chance_is_told_that_so_many_draws_cannot_show(probability, size, words):
    assert chance(probability, size) == words


@pytest.mark.parametrize("size", [2, 7, 33.4, 150, 399.2, 1000, 2001, 1e5])
def test_what_is_told_is_at_most_what_draws_can_show(size):
    told = float(re.search(r"more than an? ([\d.]+) %", chance(1.0, size)).group(1))
    assert 100 * min(1 - 1 / size, 0.999) - 1.0 < told <= 100 * min(1 - 1 / size, 0.999) + 1e-9


def of_draws(count):
    """A fit of two arms, the second of which wins in every draw, and nearly so beside a third."""
    data = pd.DataFrame({"arm": ["a", "b"], "s": [10, 90], "n": [100, 100]})
    rng = np.random.default_rng(1)
    model = hm.model("s/n ~ arm", data)
    values = {"Intercept": (("chain", "draw"), rng.normal(-2.0, 0.01, (2, count // 2))),
              "arm": (("chain", "draw", "level"), rng.normal(4.0, 0.01, (2, count // 2, 1)))}  # fmt: skip
    return model.with_draws(xr.Dataset(values))


def test_sentences_of_few_draws_claim_less():
    for count, told in ((100, "9[0-9]"), (40, "[89][0-9]"), (40_000, "99.9")):
        fit = of_draws(count)
        (sentence,) = effect_sentences(fit.effect("arm"))
        assert re.match(rf"There is more than an? {told} % chance that arm b has a higher", sentence)
        (sentence,) = best_sentences(fit.best("arm"), SUCCESS)
        assert re.match(rf"There is more than an? {told} % chance that b is the better", sentence)
    axes = of_draws(40).plot.effect("arm")
    texts = [text.get_text() for child in axes.child_axes for text in child.get_yticklabels()]
    assert [text for text in texts if re.match(r">[89]\d\.\d%", text)]
    plt.close(axes.figure)


def test_a_raise_is_told_of_two_arms_alone():
    assert "the treatment raises the success rate" in effect(row(0.1, 0.0, 0.2, 0.99))
    told = effect(row(0.1, 0.0, 0.2, 0.99), arms=3)
    assert "treated 1 has a higher success rate than treated 0" in told


def test_values_of_a_column_of_more_levels_are_named():
    data = pd.DataFrame({"x": [0, 1, 2] * 2, "s": [1, 2, 3, 3, 4, 6], "n": [9] * 6})
    fit = hm.model("s/n ~ x", data).with_draws(xr.Dataset(
        {name: (("chain", "draw"), np.full((1, 8), 0.5) + np.arange(8) / 10) for name in ("Intercept", "x")}
    ))  # fmt: skip
    (sentence,) = effect_sentences(fit.effect({"x": [0, 1]}))
    assert "x 1 has a higher s rate than x 0" in sentence
