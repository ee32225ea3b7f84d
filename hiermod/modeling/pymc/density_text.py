"""Whether a density's text says the same in PyTensor as in NumPy, in double precision and with a gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.graph.traversal import ancestors
from pytensor.tensor.elemwise import Elemwise

from hiermod.errors import ModelError
from hiermod.families.probes import DIGITS, POINTS, Points, points, probe_densities
from hiermod.families.record import Family
from hiermod.modeling.pymc.likelihood import PYTENSOR

AS_WRITTEN = Mode(linker="py", optimizer=None)  # rewriting would hide some branches without a slope
SINGLE = ("float16", "float32")


def check_text(family: Family) -> None:
    """Hold a family's log density in PyTensor against NumPy's, for each of its links.

    Raises
    ------
    ModelError
        If it cannot be written in PyTensor, has another shape or precision, other values, or no finite gradient.
    """
    for name in family.links:
        _check(family.linked(name))


def _check(family: Family) -> None:
    at = points(family)
    inputs = [pt.dvector(name) for name in ("eta", *family.auxiliary)]
    response = tuple(pt.constant(part) for part in at.response)
    try:
        density = family.log_density(PYTENSOR, response, family.linear(inputs[0]), *inputs[1:])
        density = pt.as_tensor_variable(density)
    except Exception as error:
        raise ModelError(
            f"The family {family}: log_density fails in PyTensor: {error!r}. Write it in the functions of ops and in "
            "+ - * / **, without NumPy's or SciPy's functions and without if."
        ) from error
    if density.type.ndim != 1:
        raise ModelError(
            f"The family {family}: log_density has {density.type.ndim} dimensions in PyTensor, and one is needed: the "
            "log density of each row, which is not summed."
        )
    _refuse_single(family, density)
    _compare(family, at, inputs, density)


def _refuse_single(family: Family, density: Any) -> None:
    """A plain 3.0 is a single to PyTensor; what is calculated of it alone has seven digits."""
    for variable in [density, *ancestors([density])]:
        calculated = variable.owner is not None and isinstance(variable.owner.op, Elemwise)
        if calculated and getattr(variable.type, "dtype", "") in SINGLE:
            raise ModelError(
                f"The family {family}: log_density calculates {variable.owner.op} in {variable.type.dtype} in "
                "PyTensor. A function of ops takes a plain number such as 3.0 for a single: write ops.const(3.0)."
            )


def _compare(family: Family, at: Points, inputs: list[Any], density: Any) -> None:
    try:
        gradient = pt.grad(density.sum(), inputs, disconnected_inputs="ignore")
        run = pytensor.function(inputs, [density, *gradient], mode=AS_WRITTEN, on_unused_input="ignore")
        with np.errstate(all="ignore"):
            seen, *slopes = run(at.eta, *at.parameters)
    except Exception as error:
        raise ModelError(f"The family {family}: log_density has no gradient in PyTensor: {error!r}.") from error
    if seen.shape != (POINTS,):
        raise ModelError(f"The family {family}: log_density returns the shape {seen.shape} for {POINTS} rows.")
    expected = np.array(probe_densities(family))
    apart = ~np.isclose(seen, expected, rtol=DIGITS, atol=DIGITS)
    if apart.any():
        place = int(np.argmax(apart))
        raise ModelError(
            f"The family {family}: log_density is {expected[place]:.12g} in NumPy and {seen[place]:.12g} in PyTensor, "
            f"at {at.describe(family, place)}. The text must not ask which of both it is written in, and takes its "
            "functions from ops."
        )
    for name, slope in zip(("eta", *family.auxiliary), slopes, strict=True):
        if len(bad := np.flatnonzero(~np.isfinite(slope))):
            raise ModelError(
                f"The family {family}: the gradient of log_density by {name} is {slope[bad[0]]:g} at "
                f"{at.describe(family, bad[0])}. In ops.where both branches count: hold each where it is finite, as by "
                "ops.maximum(x, ...)."
            )
