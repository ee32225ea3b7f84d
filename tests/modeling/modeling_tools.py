"""Short ways from a formula and a frame to a spec, a model and its log density."""

import numpy as np
from pytensor.compile.mode import Mode

from hiermod.data.cells.compress import compress as to_cells
from hiermod.data.cells.rows import read_rows
from hiermod.families.registry import choose_family, read_family
from hiermod.formula.parser import parse
from hiermod.modeling.pymc.model import build_model
from hiermod.modeling.spec import build_spec

# no compiler: a density that is called some twenty times is not worth one
QUICK = Mode(linker="py", optimizer="fast_compile")


def spec_and_notices(text, data, family=None, priors=None, compress=True):
    formula = parse(text)
    rows = read_rows(formula, data)
    chosen, _ = choose_family(None if family is None else read_family(family), rows.response)
    return build_spec(formula, chosen, to_cells(rows, chosen.statistic, compress), priors or {})


def spec_of(*arguments, **options):
    return spec_and_notices(*arguments, **options)[0]


def model_of(*arguments, **options):
    return build_model(spec_of(*arguments, **options))


def log_density(model):
    """The unnormalised log density on the unconstrained scale, as a function of a point."""
    return model.compile_logp(mode=QUICK)


def random_points(model, count=20, seed=0, spread=0.7):
    """Points around the model's initial one, as dicts of its value variables."""
    rng = np.random.default_rng(seed)
    start = model.initial_point()
    return [
        {name: value + spread * rng.normal(size=np.shape(value)) for name, value in start.items()} for _ in range(count)
    ]


def assert_equal_up_to_one_constant(one, other, relative=1e-9):
    """Two lists of log densities differ by one number."""
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    assert np.isfinite(one).all()
    assert np.isfinite(other).all()
    assert np.ptp(one) > 1.0  # the points are far enough apart to tell
    difference = one - other
    assert np.ptp(difference) <= relative * max(np.abs(one).max(), np.abs(other).max())
