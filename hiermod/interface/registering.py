"""`register_family`: a family that a user brings."""

from __future__ import annotations

from hiermod.errors import ModelError
from hiermod.families.record import Family
from hiermod.families.registry import FAMILIES, add, require_free
from hiermod.families.soundness import check_record


def register_family(family: Family, *, replace: bool = False) -> None:
    """Let models have a family of your own, by its name.

    It is sampled by PyMC and answers the questions of `Fit`. Its record is checked here: the density in NumPy and in
    PyTensor, its gradient, and whether mean, variance, draws and distribution function are those of the density.

    Parameters
    ----------
    family : Family
        Its record. What it leaves out is done without, or refused where it is asked for.
    replace : bool
        Whether it may take the place of a family that was registered under this name; fits keep the one they have.

    Raises
    ------
    ModelError
        If the name is taken, or the record is not sound.

    Examples
    --------
    Shares strictly between 0 and 1 by the unit gamma distribution of mean mu and shape phi (Mousa, El-Sheikh and
    Abdel-Fattah 2016): minus the logarithm of a share is gamma with shape phi and rate theta, mu being
    ``(theta/(1 + theta))**phi``.

    >>> import hiermod as hm
    >>> def log_density(ops, response, mu, phi):
    ...     share, root = response[0], mu.link.log_rates(ops, mu.eta)[0] / phi  # the logarithm of mu**(1/phi)
    ...     log_theta = root - ops.log(-ops.expm1(root))
    ...     size = -ops.log(share)
    ...     return phi * log_theta - ops.gammaln(phi) + (phi - 1.0) * ops.log(size) - (ops.exp(log_theta) - 1.0) * size
    >>> def draw(rng, shape, mean, trials, phi):
    ...     root = mean ** (1.0 / phi)
    ...     return np.exp(-rng.standard_gamma(phi, shape) * (1.0 - root) / root)
    >>> import numpy as np
    >>> hm.register_family(hm.Family(
    ...     name="unit_gamma", kind="unit", links=("logit",), log_density=log_density, draw=draw,
    ...     parameters=(hm.Parameter("phi", "shape", default_prior="Gamma(2, 0.5)"),),
    ... ))
    >>> shares = hm.example("cbpp").query("incidence > 0 and incidence < size").eval("share = incidence / size")
    >>> hm.model("share ~ period + (1 | herd)", shares, "unit_gamma").family
    'unit_gamma'
    """
    if not isinstance(family, Family):
        raise ModelError(f"register_family takes a record, hm.Family(name=..., ...), not {family!r}.")
    require_free(family, replace)
    check_record(family, FAMILIES.values())
    from hiermod.modeling.pymc.density_text import check_text

    check_text(family)
    add(family)
