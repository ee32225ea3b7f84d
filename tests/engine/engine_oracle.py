"""The public PyMC model beside the engine's program of the same spec: the same points, densities and gradients."""

from dataclasses import dataclass

import numpy as np
from pytensor.compile.mode import Mode
from scipy import optimize, stats

from hiermod.engine.adapt.mode import covariance_roots
from hiermod.engine.build.compile import library
from hiermod.engine.layout.problem import ShrunkPlace, SmoothPlace, read_problem
from hiermod.engine.layout.program import Program, public_coordinates
from hiermod.families.record import THRESHOLDS
from hiermod.modeling.pymc.model import build_model

QUICK = Mode(linker="py", optimizer="fast_compile")


def program_of(spec):
    return public_coordinates(read_problem(spec), library().functions)


@dataclass(frozen=True, eq=False)
class Oracle:
    """The public model's density and gradient as functions of the engine's public coordinates."""

    program: Program
    model: object
    density: object
    slope: object

    def at(self, z):
        """Log density and gradient by the public model."""
        places, values = self._places(), self._values(z)
        point = {name: values[where] for name, where in places.items()}
        flat = np.zeros(len(z))
        raveled = self.slope(point)
        start = 0
        for variable in self.model.value_vars:
            where = places[variable.name]
            flat[where.ravel()] = raveled[start : start + where.size]
            start += where.size
        return float(self.density(point)), flat

    def _values(self, z):
        """Coordinates as the public model's value variables: a coefficient is measured from its prior's location
        where that is shifted by other coefficients."""
        problem, values = self.program.problem, z.copy()
        common = problem.spec.coefficients
        for block in common.blocks:
            span = common.slices()[block.name]
            in_set = any(span.start <= place < span.stop for own in problem.spec.shrunk for place in own.places)
            if in_set or not common.shift[span].any():
                continue
            for place in range(span.start, span.stop):
                column = int(np.flatnonzero(problem.order == place)[0])
                prior = problem.spec.priors[block.name][place - span.start]
                values[column] -= prior.arguments[-2] if prior.located else 0.0
        return values

    def _places(self):
        """Where each value variable stands among the coordinates, in its own shape."""
        problem, names = self.program.problem, {}
        spec = problem.spec
        bounded = {}
        first = problem.dimension - len(problem.hyperparameters)
        for place, hyperparameter in enumerate(problem.hyperparameters):
            if hyperparameter.coefficient >= 0:
                bounded[hyperparameter.coefficient] = first + place
            else:
                names.setdefault(hyperparameter.name, []).append(first + place)
        for block in spec.coefficients.blocks:
            span = spec.coefficients.slices()[block.name]
            if block.wiggles:
                free = span.start + block.free
                names[f"{block.name}_line"] = [int(np.flatnonzero(problem.order == place)[0]) for place in free]
                continue
            together = {place for own in spec.shrunk for place in own.places}
            alone = [place for place in range(span.start, span.stop) if place not in together]
            columns = [int(np.flatnonzero(problem.order == place)[0]) for place in alone]
            name = block.name if len(alone) == span.stop - span.start else f"{block.name}_others"
            names[name] = [bounded.get(column, column) for column in columns]
        for own in spec.monotonic:
            del names[own.block.name]
        if (order := problem.thresholds) is not None:
            own = [first + problem.auxiliary + place for place in range(order.count - 1)]
            names[THRESHOLDS] = [*own[: order.reference], 0, *own[order.reference :]]
        at = problem.linear
        for factor in problem.factors:
            for own in factor.terms:
                if isinstance(own, SmoothPlace):
                    offsets = names.setdefault(f"{own.curve.sd_name.removesuffix('_sigma')}_offset", [])
                    offsets.extend(at + np.arange(own.columns))
                    continue
                if isinstance(own, ShrunkPlace):
                    names[f"{own.own.prefix}_offset"] = at + np.arange(own.columns)
                    continue
                column = own.first
                for effect in own.term.effects:
                    size = len(effect.block.columns)
                    grid = at + (column + np.arange(size)) * factor.groups + np.arange(factor.groups)[:, None]
                    names[f"{effect.name}_offset"] = grid if effect.block.labels else grid[:, 0]
                    column += size
            at += factor.groups * factor.width
        found = {}
        for variable in self.model.free_RVs:
            value = self.model.rvs_to_values[variable]
            where = np.asarray(names[variable.name], dtype=int)
            found[value.name] = where if value.ndim else where.reshape(())
        return found


def oracle_of(spec):
    model = build_model(spec)
    return Oracle(program_of(spec), model, model.compile_logp(mode=QUICK), model.compile_dlogp(mode=QUICK))


def assert_same_density(oracle, points, relative=1e-9):
    """Log densities differ by one constant, gradients by nothing."""
    differences, sizes = [], []
    for z in points:
        value, gradient = oracle.program.log_density(z)
        expected, slope = oracle.at(z)
        assert np.isfinite([value, expected]).all()
        np.testing.assert_allclose(gradient, slope, rtol=relative, atol=relative * (1.0 + np.abs(slope).max()))
        differences.append(value - expected)
        sizes.append(abs(expected))
    assert np.ptp(differences) <= relative * max(1.0, *sizes)


def public_point(public, moved, z):
    """The point in public coordinates: coefficients, effects as standard normals, hyperparameters on the line."""
    theta, hyperparameters = moved.expand(z)
    parts = [theta[: public.problem.linear]]
    for factor, root in zip(public.problem.factors, covariance_roots(public.problem, hyperparameters), strict=True):
        parts.append(np.linalg.solve(root, theta[factor.span].reshape(factor.width, factor.groups)).ravel())
    return np.concatenate([*parts, public.unconstrained(hyperparameters)])


def log_volume(public, moved, z):
    """The map of coefficients and effects is affine given the hyperparameters, so that steps of one give it whole.

    That of a hyperparameter of scale s is s (v Φ(v) + φ(v)) where its prior is half-normal, else the public one.
    """
    size = len(z) - len(public.problem.hyperparameters)
    here = public_point(public, moved, z)[:size]
    steps = [public_point(public, moved, z + step)[:size] - here for step in np.eye(len(z))[:size]]
    volume = np.linalg.slogdet(np.column_stack(steps))[1] if steps else 0.0
    for hyperparameter, x in zip(public.problem.hyperparameters, moved.expand(z)[1], strict=True):
        if hyperparameter.prior.plain and hyperparameter.prior.name == "HalfNormal":
            ratio = float(x / hyperparameter.prior.arguments[0])
            v = optimize.brentq(
                lambda at, y=ratio: at * stats.norm.cdf(at) + stats.norm.pdf(at) - y, -20, 20, xtol=1e-14
            )
            volume += stats.norm.logcdf(v) - np.log(ratio)
    return volume
