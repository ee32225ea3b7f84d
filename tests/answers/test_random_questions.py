"""Every question about averages, with `by`, `where`, `at`, `data` and `groups`, against sums over rows by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from questions_by_hand import BARS, DRAWS, INVERSE, LEVELS, TERMS, ByHand, random_fit, random_frame, weight_of

import hiermod as hm

VALUES = {**LEVELS, "x": [0, 1, 2]}
SAME = {"rtol": 1e-8, "atol": 1e-10}


def names_in(terms, bars):
    text = " ".join([*terms, *bars]).replace("I(x^2)", "x")
    return [name for name in VALUES if name in text]


def pick(rng, names, share=0.5):
    return str(rng.choice(names)) if len(names) and rng.random() < share else None


def random_arguments(rng, hand, frame, family, names, variable):
    """``by, where, at, data, weights, groups`` as they are asked, and the rows, their weights and factors at zero."""
    present = [name for name in names if name != variable]
    by = pick(rng, present)
    settable = [name for name in present if name != by]
    arguments = {"by": by}
    if at := pick(rng, settable, 0.6):
        chosen = list(rng.permutation(VALUES[at])[: rng.integers(1, 3)])
        chosen = [int(one) if at == "x" else str(one) for one in chosen]
        arguments["at"] = {at: chosen[0] if rng.random() < 0.5 else chosen}
    factors = sorted({name.partition("|")[2] for name in hand.groups})
    typical = [factor for factor in factors if rng.random() < 0.3]
    if typical == factors and factors and rng.random() < 0.5:
        arguments["groups"] = "typical"
    elif typical:
        arguments["groups"] = dict.fromkeys(typical, "typical")
    rows, weight = frame, weight_of(family, frame)
    if rng.random() < 0.4:
        rows = random_frame(rng, 25)
        known = [hand.keys(name, rows).isin(hand.seen[name]) for name in hand.groups]
        rows = rows[np.logical_and.reduce(known) if known else slice(None)].reset_index(drop=True)
        rows = rows.assign(e=rng.integers(1, 4, len(rows)).astype(float), w=rng.integers(1, 9, len(rows)) / 2.0)
        if rng.random() < 0.5:
            arguments |= {"data": rows, "weights": "w"}
            weight = rows["w"].to_numpy()
        else:
            arguments["data"] = rows = rows if rng.random() < 0.5 else rows.drop(columns=["n", "e"])
            weight = weight_of(family, rows)
    if where := pick(rng, [name for name in names if name != "x"], 0.3):
        there = sorted(rows[where].unique())
        chosen = [str(one) for one in rng.permutation(there)[: rng.integers(1, len(there) + 1)]]
        arguments["where"] = {where: chosen}
        kept = rows[where].isin(chosen).to_numpy()
        rows, weight = rows[kept].reset_index(drop=True), weight[kept]
    return arguments, rows, weight, typical


def lines_of(at):
    """Each combination of the values to which rows are set, and the columns that tell lines apart."""
    at = at or {}
    several = [name for name, value in at.items() if isinstance(value, list)]
    return several, [
        dict(zip(at, values, strict=True))
        for values in itertools.product(*(value if isinstance(value, list) else [value] for value in at.values()))
    ]


def cells_of(rows, by):
    return (
        {(): np.ones(len(rows), dtype=bool)}
        if by is None
        else {(one,): (rows[by] == one).to_numpy() for one in rows[by].unique()}
    )


def averaged(weight, kept, values):
    return weight[kept] @ values[kept] / weight[kept].sum() if kept.any() else np.full(DRAWS, np.nan)


def rates_by_hand(hand, family, rows, weight, typical, variable, levels, by, at):
    """The draws of each average by its cell, line and level."""
    found, (_, lines) = {}, lines_of(at)
    for line in lines:
        means, known = [], []
        for level in levels:
            chosen = {**line, **({variable: level} if variable else {})}
            set_rows = rows.assign(**chosen)
            means.append(INVERSE[family][0](hand.linear(set_rows, typical)))
            known.append(hand.estimable(set_rows) & hand.known_groups(set_rows, chosen, typical))
        for cell, inside in cells_of(rows, by).items():
            shared = inside & np.logical_and.reduce(known)
            for level, mean, own in zip(levels, means, known, strict=True):
                kept = shared if shared.any() else inside & own
                found[*cell, *line.values(), level] = averaged(weight, kept, mean)
    return found


def check_rates(seed, terms, bars, family):
    rng = np.random.default_rng(seed)
    names = names_in(terms, bars)
    fit, frame, _ = random_fit(rng, terms, bars, family, flat=0.3)
    hand = ByHand(fit, frame)
    variable = pick(rng, names, 0.8)
    arguments, rows, weight, typical = random_arguments(rng, hand, frame, family, names, variable)
    by, at = arguments["by"], arguments.get("at")
    levels = sorted(frame[variable].unique()) if variable else [None]
    given = variable
    if variable == "x" and rng.random() < 0.5:
        levels, given = [0.5, 2.0], {"x": [0.5, 2.0]}
    expected = rates_by_hand(hand, family, rows, weight, typical, variable, levels, by, at)
    answer = fit.rates(given, **arguments)
    several, _ = lines_of(at)
    draws = answer.draws.to_numpy().reshape(DRAWS, -1).T
    columns = [*([by] if by else []), *several, *([variable] if variable else [])]
    keys = [tuple(map(str, key)) for key in answer.table[columns].itertuples(index=False)]
    assert len(keys) == len(expected)
    held = 0 if at is None else len(at) - len(several)
    place = 1 if by else 0
    for key, one in expected.items():
        key = key[:place] + key[place + held :]
        key = key if variable else key[:-1]
        np.testing.assert_allclose(draws[keys.index(tuple(map(str, key)))], one, **SAME)


def check_slopes(seed, terms, bars, family):
    rng = np.random.default_rng(seed)
    terms = [*terms, *(["x"] if "x" not in names_in(terms, bars) else [])]
    names = names_in(terms, bars)
    fit, frame, _ = random_fit(rng, terms, bars, family, flat=0.3)
    hand = ByHand(fit, frame)
    arguments, rows, weight, typical = random_arguments(rng, hand, frame, family, names, None)
    by, at = arguments["by"], arguments.get("at")
    scale = str(rng.choice(["response", "link"]))
    answer = fit.slopes("x", scale=scale, **arguments)
    several, lines = lines_of(at)
    draws = answer.draws.to_numpy().reshape(DRAWS, -1).T
    columns = [*([by] if by else []), *several]
    keys = [tuple(map(str, key)) for key in answer.table[columns].itertuples(index=False)] if columns else [()]
    for line in lines:
        set_rows = rows.assign(**line)
        inverse, derivative = INVERSE[family]
        slope = hand.slope(set_rows, typical)
        if scale == "response":
            slope = slope * derivative(inverse(hand.linear(set_rows, typical)))
        known = (
            hand.estimable(set_rows) & hand.known_groups(set_rows, line, typical) & hand.estimable(set_rows, slope=True)
        )
        for cell, inside in cells_of(rows, by).items():
            key = tuple(map(str, [*cell, *(line[name] for name in several)]))
            np.testing.assert_allclose(draws[keys.index(key)], averaged(weight, inside & known, slope), **SAME)


def check_predict(seed, terms, bars, family):
    rng = np.random.default_rng(seed)
    fit, frame, _ = random_fit(rng, terms, bars, family, flat=0.3)
    hand = ByHand(fit, frame)
    arguments, _, _, typical = random_arguments(rng, hand, frame, family, names_in(terms, bars), None)
    rows = arguments.get("data", frame)
    rows = rows if "e" in rows or family != "poisson" else rows.assign(e=2.0)
    eta = hand.linear(rows, typical)
    exposure = weight_of(family, rows)[:, None] if family == "poisson" else 1.0
    kind, per = rng.choice(["mean", "link"]), None
    expected = eta + np.log(exposure) if kind == "link" else INVERSE[family][0](eta) * exposure
    if kind == "mean" and rng.random() < 0.3:
        per, expected = 10, 10 * INVERSE[family][0](eta)
    expected[~hand.estimable(rows)] = np.nan
    given = None if rows is frame and rng.random() < 0.5 else rows
    answer = fit.predict(given, kind=str(kind), groups=arguments.get("groups", "observed"), per=per)
    np.testing.assert_allclose(answer.draws.to_numpy().reshape(DRAWS, -1).T, expected, **SAME)
    cells = fit.predict_cells(groups=arguments.get("groups", "observed"))
    if family != "poisson":
        own = INVERSE[family][0](hand.linear(cells.table, typical))
        np.testing.assert_allclose(cells.draws.to_numpy().reshape(DRAWS, -1).T, own, **SAME)


def check_effect(seed, terms, bars, family):
    """Effects and interactions are contrasts of the rates, on each scale."""
    rng = np.random.default_rng(seed)
    names = names_in(terms, bars)
    fit, frame, _ = random_fit(rng, terms, bars, family, flat=0.3)
    hand = ByHand(fit, frame)
    variable = str(rng.choice(names))
    arguments, rows, weight, typical = random_arguments(rng, hand, frame, family, names, variable)
    levels = sorted(frame[variable].unique())
    only_group = variable not in names_in(terms, [])
    if len(levels) < 2 or (only_group and typical):
        return
    by, at = arguments["by"], arguments.get("at")
    expected = rates_by_hand(hand, family, rows, weight, typical, variable, levels, by, at)
    answer = fit.effect(variable, **arguments)
    several, lines = lines_of(at)
    draws = answer.draws.to_numpy().reshape(DRAWS, -1).T
    columns = [*([by] if by else []), *several, "contrast"]
    keys = [tuple(map(str, key)) for key in answer.table[columns].itertuples(index=False)]
    beats = dict(zip(keys, answer.table["prob_beats"], strict=True))
    for cell in cells_of(rows, by):
        for line in lines:
            control = expected[*cell, *line.values(), levels[0]]
            for level in levels[1:]:
                difference = expected[*cell, *line.values(), level] - control
                key = tuple(map(str, [*cell, *(line[name] for name in several), f"{level} vs {levels[0]}"]))
                np.testing.assert_allclose(draws[keys.index(key)], difference, **SAME)
                share = (difference > 1e-12).mean() + 0.5 * (np.abs(difference) <= 1e-12).mean()
                if not np.isnan(difference).any():
                    assert beats[key] == pytest.approx(share)
    table = fit.prob_beats(variable, **arguments)
    assert np.sort(table.to_numpy().ravel()) == pytest.approx(np.sort(list(beats.values())), nan_ok=True)


CASES = (
    st.integers(0, 2**32 - 1), st.lists(st.sampled_from(TERMS), min_size=1, max_size=6, unique=True),
    st.lists(st.sampled_from(BARS), max_size=3, unique=True), st.sampled_from(["binomial", "gaussian", "poisson"]),
)  # fmt: skip
CHECKS = {"rates": check_rates, "effect": check_effect, "slopes": check_slopes, "predict": check_predict}


@pytest.mark.parametrize("question", CHECKS)
@settings(max_examples=40, deadline=None)
@given(*CASES)
def test_answers_are_sums_over_rows_by_hand(question, seed, terms, bars, family):
    CHECKS[question](seed, terms, bars, family)


@pytest.mark.slow
@pytest.mark.parametrize("question", CHECKS)
@settings(max_examples=1000, deadline=None)
@given(*CASES)
def test_a_thousand_random_questions(question, seed, terms, bars, family):
    CHECKS[question](seed, terms, bars, family)


def test_a_slope_that_no_two_values_tell_is_not_estimable():
    """Rows were fitted, but x has one value among those of a = q: emtrends of emmeans says nonEst there."""
    frame = pd.DataFrame({"a": list("ppppqq"), "x": [0, 1, 2, 3, 1, 1], "y": [0.1, 1.0, 2.2, 2.9, 5.0, 5.1]})
    model = hm.model("y ~ a * x", frame, "gaussian")
    fit = model.with_draws(model.sample_prior(DRAWS, seed=1).prior)
    assert fit.rates(by="a").table["estimate"].notna().all()
    table = fit.slopes("x", by="a").table
    assert table["estimable"].tolist() == [True, False]
    assert table.loc[1, ["estimate", "lower", "upper", "prob_beats"]].isna().all()
    everywhere = fit.slopes("x")
    np.testing.assert_allclose(everywhere.draws, fit.slopes("x", where={"a": "p"}).draws)
    assert "rows with 33% of the weight leave the averages" in everywhere.notices[-1]
