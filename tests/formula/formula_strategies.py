"""Strategies that write formulas, as a person would and as a person would not."""

from hypothesis import strategies as st

PREDICTORS = [
    "x",
    "z",
    "w",
    "f",
    "a.b",
    "_u",
    "x2",
    "größe",
    "变量",
    "`my col`",
    "`2nd`",
    "`.5`",
    "`a+b`",
    "`1`",
]
PLAIN_PREDICTORS = ["x", "z", "w", "f", "h", "x2", "u"]
GROUPS = ["g", "g2", "site", "`the group`", "g.x", "batch"]
PLAIN_GROUPS = ["g", "g2", "site", "batch"]
RESPONSES = [
    "y",
    "`the y`",
    "s/n",
    "(s) / (n)",
    "s/10",
    "s / 12345678",
    "s/0.1234567",
    "s/(n + m)",
    "(s + t)/n",
    "cbind(s, n)",
    "cbind(s, n - s)",
    "cbind(s + t, n * 2)",
    "cbind(s, n, t)",
    "p(s, n)",
    "p(rate * n, n)",
    "p(s - (t - m), n / (m * 2))",
    "p(s - t - m, n / m / 2)",
    "p(`a b` * 2, n)",
    "s | trials(n)",
    "log(y)",
    "I((y - 1) / 2)",
    "y['yes']",
    '`the y`["it\'s"]',
    "y | weights(w2)",
    "s | trials(n) + weights(w2)",
    "prop(s, n)",
]
FUNCTIONS = [
    "log(x)", "log(x + 1, base = 2)", "poly(x, 2)", "poly(z,3,raw=TRUE)", "bs(x, knots=c(-1, 0.5))", "I(x^2 * -z)",
    "I(-(x - z)^-2)", "cut(x, c(0, 1, 2), labels=c('lo', \"it's\"))", "C(f, contr.sum)", "relevel(f, ref = 'b')",
    "scale(x, scale=FALSE)", "np.log(x)", "factor(x2)",
    "I(x > 2)", "I(f != 'a')", "I((x <= z) * w)",
    "I(2^x^2)", "I((2^x)^2)", "I(x - (z - w))", "I(x / (z * w))",
]  # fmt: skip


def items(names):
    """A term: a name, a product, an interaction, a bracket."""
    name = st.sampled_from(names)
    pair = st.tuples(name, name)
    function = st.sampled_from(FUNCTIONS)
    power = pair.map(lambda two: f"({two[0]} + {two[1]})^2")
    extra = [function, st.tuples(name, function).map(":".join), power, pair.map("/".join), pair.map(" %in% ".join)]
    extra = extra if names is PREDICTORS else [pair.map("/".join), power]
    return st.one_of(
        name,
        pair.map(":".join),
        *extra,
        pair.map("*".join),
        pair.map(lambda two: f"({two[0]} + {two[1]})"),
        st.tuples(name, name, name).map(" * ".join),
        st.tuples(name, name, name).map(lambda three: f"({three[0]} + {three[1]}):{three[2]}"),
        st.tuples(name, name, name).map(lambda three: f"{three[0]} * ({three[1]} + {three[2]})"),
    )


ITEMS = {id(names): items(names) for names in (PREDICTORS, PLAIN_PREDICTORS)}
LEADS = ["", "", "1 + ", "0 + ", "-1 + "]


@st.composite
def sums(draw, names, subtraction=True):
    """Terms joined by ``+``; with subtraction, some are taken away again."""
    terms = draw(st.lists(ITEMS[id(names)], min_size=1, max_size=3))
    text = draw(st.sampled_from(LEADS[: None if subtraction else -1])) + " + ".join(terms)
    if not subtraction:
        return text
    return text + draw(st.sampled_from(["", "", " - 1", " + -1", " + 0", f" - {terms[0]}", f" - ({terms[0]})"]))


@st.composite
def formulas(draw, responses=RESPONSES, predictors=PREDICTORS, groups=GROUPS, subtraction=True):
    """A formula that is right in every respect but perhaps one: all its terms may have been taken away."""
    factors = draw(st.lists(st.sampled_from(groups), max_size=4, unique=True))
    parts = [draw(st.one_of(st.just("1"), sums(predictors, subtraction)))]
    while factors:
        size = draw(st.integers(1, 2))
        own, factors = factors[:size], factors[size:]
        inside = draw(st.one_of(st.just("1"), sums(predictors, subtraction)))
        bar, separator = draw(st.sampled_from([("|", ":"), ("||", ":"), ("|", "/")])) if subtraction else ("|", ":")
        parts.append(f"({inside} {bar} {separator.join(own)})")
    if draw(st.booleans()):
        parts.reverse()
    spread = draw(st.sampled_from([" ", "", "\n"]))
    return f"{draw(st.sampled_from(responses))}{spread}~{spread}{f'{spread}+{spread}'.join(parts)}"


SYMBOL_SOUP = st.text(
    st.one_of(
        st.sampled_from(list("~+-*/:|(),`01. ^%=[]{}'\"\\#!&\n\t")),
        st.sampled_from(list("xyzgsn_")),
        st.characters(),
    ),
    max_size=60,
)
WORDS = """y x g 0 1 - + ~ | || ( ) : * / , cbind p trials `ab` %in% ^2 ** lambda __class__ I( 1.5 1e5 .. é"""
WORD_SOUP = st.lists(st.sampled_from([*WORDS.split(), "y ~ x + (1 | g)", "\x00"]), max_size=25).map(" ".join)
