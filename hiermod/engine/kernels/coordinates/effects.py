"""Effects of groups from independent coordinates, and the way back of gradients, in compiled code.

A group's effects are ``u = Λ o``: o are the standard normals of the public model, Λ the Cholesky factor of the
effects' covariance. If A is the information that the data hold on u (at the mode) and e the score there at u = 0,
the normals' conditional precision is ``H = I + Λ'AΛ = L L'``. They are sampled as ``o = L^-T (w + L^-1 Λ'e)``, with w
nearly standard normal whatever Λ is: little information leaves the non-centred form, much of it gives the centred one.
Where information grows with a parameter of the family, by a factor s² from the mode on, sΛ and s e take the places
of Λ and e in this map.

Arrays are flat, with groups last: element (i, j) of group g of a ``(d, d, groups)`` array stands at
``at + (i d + j) groups + g``. Work is done for up to `LANES` groups at once. The workspace keeps what the way back
needs: Λ in `roots`, sΛ in `scaled_roots`, s e in `effects_score`, L in `lower`, AΛ in `product`, L^-1 Λ'e in
`explained`, w + that in `shifted`, o in `normals`.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from hiermod.engine.kernels import NJIT
from hiermod.engine.kernels.coordinates import single_effects
from hiermod.engine.kernels.numbers.vector_ops import add_product, add_scaled, copy, divide, dot, fill, root, total
from hiermod.engine.kernels.record import LANES
from hiermod.engine.kernels.views import doubles, matrix

FEW = 24  # groups, up to which it is quicker to take one after the other
Array = np.ndarray


@numba.njit(**NJIT)
def forward(record: Any, factor: Any, work: Any) -> float:
    """Write a factor's effects; return the log density of the normals with that of the map."""
    if factor.width <= 2 and factor.groups <= FEW:
        return _few_forward(record, factor, work)
    if factor.width == 1:
        return single_effects.forward(record, factor, work)
    d, groups, w_at, u_at = factor.width, factor.groups, factor.coordinate, factor.start
    plain, scaled = matrix(work.roots + 8 * factor.root, d), matrix(work.scaled_roots + 8 * factor.root, d)
    information, u = doubles(record.information), doubles(work.theta)
    lower, product = doubles(work.lower), doubles(work.product)
    w, score = doubles(work.w), doubles(work.effects_score)
    shifted, explained = doubles(work.shifted), doubles(work.explained)
    normals, terms = doubles(work.normals), doubles(work.terms)
    result = 0.0
    for start in range(0, groups, LANES):
        m = min(groups - start, LANES)
        a, v = factor.information + start, factor.effects + start
        fill(terms, 0, 0.0, m)
        for i in range(d):
            for j in range(d):
                ij = a + (i * d + j) * groups
                fill(product, ij, 0.0, m)
                for k in range(j, d):
                    add_scaled(product, ij, information, a + (i * d + k) * groups, scaled[k, j], m)
        for j in range(d):
            jj = a + j * (d + 1) * groups
            for i in range(j, d):
                ij = a + (i * d + j) * groups
                fill(lower, ij, 1.0 if i == j else 0.0, m)
                for k in range(i, d):
                    add_scaled(lower, ij, product, a + (k * d + j) * groups, scaled[k, i], m)
                for k in range(j):
                    add_product(lower, ij, lower, a + (i * d + k) * groups, lower, a + (j * d + k) * groups, -1.0, m)
                if i == j:
                    root(lower, jj, terms, m)
                else:
                    divide(lower, ij, lower, jj, m)
        for j in range(d):
            jv = v + j * groups
            fill(explained, jv, 0.0, m)
            for k in range(j, d):
                add_scaled(explained, jv, score, v + k * groups, scaled[k, j], m)
            for k in range(j):
                add_product(explained, jv, lower, a + (j * d + k) * groups, explained, v + k * groups, -1.0, m)
            divide(explained, jv, lower, a + j * (d + 1) * groups, m)
            copy(shifted, jv, explained, jv, m)
            add_scaled(shifted, jv, w, w_at + start + j * groups, 1.0, m)
        for j in range(d - 1, -1, -1):
            jv = v + j * groups
            copy(normals, jv, shifted, jv, m)
            for k in range(j + 1, d):
                add_product(normals, jv, lower, a + (k * d + j) * groups, normals, v + k * groups, -1.0, m)
            divide(normals, jv, lower, a + j * (d + 1) * groups, m)
            add_product(terms, 0, normals, jv, normals, jv, -0.5, m)
        for i in range(d):
            iu = u_at + start + i * groups
            fill(u, iu, 0.0, m)
            for k in range(i + 1):
                add_scaled(u, iu, normals, v + k * groups, plain[i, k], m)
        result += total(terms, 0, m)
    return result


@numba.njit(**NJIT)
def back(record: Any, factor: Any, work: Any) -> None:
    """From the derivative by u, write those by w and by the score, and add those by Λ and sΛ.

    With s the derivative by w, that by H is ``L^-T S L^-1``, S symmetric with ``-(q s' + s y')`` on and below its
    diagonal, halved, where q is `shifted` and y is `explained`; the determinant of L takes half a one off its diagonal.
    """
    if factor.width <= 2 and factor.groups <= FEW:
        _few_back(record, factor, work)
        return
    if factor.width == 1:
        single_effects.back(record, factor, work)
        return
    d, groups = factor.width, factor.groups
    plain, scaled = matrix(work.roots + 8 * factor.root, d), matrix(work.scaled_roots + 8 * factor.root, d)
    by_plain, by_scaled = matrix(work.by_root, d), matrix(work.by_scaled_root, d)
    lower, product = doubles(work.lower), doubles(work.product)
    by_u, score = doubles(work.by_theta), doubles(work.effects_score)
    shifted, explained = doubles(work.shifted), doubles(work.explained)
    normals, by_w = doubles(work.normals), doubles(work.by_w)
    by_score = doubles(work.by_score)
    inner, solved = doubles(work.inner), doubles(work.solved)
    for start in range(0, groups, LANES):
        m = min(groups - start, LANES)
        a, v = factor.information + start, factor.effects + start
        iw, iu = factor.coordinate + start, factor.start + start
        for j in range(d):
            jw = iw + j * groups
            fill(by_w, jw, 0.0, m)
            add_scaled(by_w, jw, normals, v + j * groups, -1.0, m)
            for k in range(j, d):
                add_scaled(by_w, jw, by_u, iu + k * groups, plain[k, j], m)
            for k in range(j):
                add_product(by_w, jw, lower, a + (j * d + k) * groups, by_w, iw + k * groups, -1.0, m)
            divide(by_w, jw, lower, a + j * (d + 1) * groups, m)
        for j in range(d - 1, -1, -1):
            copy(solved, j * LANES, by_w, iw + j * groups, m)
            for k in range(j + 1, d):
                add_product(solved, j * LANES, lower, a + (k * d + j) * groups, solved, k * LANES, -1.0, m)
            divide(solved, j * LANES, lower, a + j * (d + 1) * groups, m)
        for i in range(d):
            fill(by_score, start + i * groups, 0.0, m)
            for k in range(i + 1):
                add_scaled(by_score, start + i * groups, solved, k * LANES, scaled[i, k], m)
            for j in range(i + 1):
                ij = (i * d + j) * LANES
                fill(inner, ij, -0.5 if i == j else 0.0, m)
                add_product(inner, ij, shifted, v + i * groups, by_w, iw + j * groups, -0.5, m)
                add_product(inner, ij, by_w, iw + i * groups, explained, v + j * groups, -0.5, m)
                copy(inner, (j * d + i) * LANES, inner, ij, m)
        _solve_both(d, groups, lower, a, inner, m)
        for i in range(d):
            for j in range(i + 1):
                sum_ = dot(score, v + i * groups, solved, j * LANES, m)
                by_plain[i, j] += dot(by_u, iu + i * groups, normals, v + j * groups, m)
                for k in range(d):
                    sum_ += 2.0 * dot(product, a + (i * d + k) * groups, inner, (k * d + j) * LANES, m)
                by_scaled[i, j] += sum_


@numba.njit(**NJIT)
def _solve_both(d: int, groups: int, lower: Array, a: int, inner: Array, m: int) -> None:
    """Replace a symmetric S by L^-T S L^-1."""
    for j in range(d):
        for i in range(d - 1, -1, -1):
            for k in range(i + 1, d):
                add_product(
                    inner, (i * d + j) * LANES, lower, a + (k * d + i) * groups, inner, (k * d + j) * LANES, -1.0, m
                )
            divide(inner, (i * d + j) * LANES, lower, a + i * (d + 1) * groups, m)
    for i in range(d):
        for j in range(d - 1, -1, -1):
            for k in range(j + 1, d):
                add_product(
                    inner, (i * d + j) * LANES, lower, a + (k * d + j) * groups, inner, (i * d + k) * LANES, -1.0, m
                )
            divide(inner, (i * d + j) * LANES, lower, a + j * (d + 1) * groups, m)


@numba.njit(**NJIT)
def _few_forward(record: Any, factor: Any, work: Any) -> float:
    """As `forward`, one group of one or two effects after the other."""
    two, groups, at, v_at, w_at, u_at = (
        factor.width == 2, factor.groups, factor.information, factor.effects, factor.coordinate, factor.start,
    )  # fmt: skip
    plain = matrix(work.roots + 8 * factor.root, factor.width)
    scaled = matrix(work.scaled_roots + 8 * factor.root, factor.width)
    information, u = doubles(record.information), doubles(work.theta)
    lower, product = doubles(work.lower), doubles(work.product)
    w, score = doubles(work.w), doubles(work.effects_score)
    shifted, explained = doubles(work.shifted), doubles(work.explained)
    normals = doubles(work.normals)
    a, b, c = scaled[0, 0], scaled[1, 0] if two else 0.0, scaled[1, 1] if two else 0.0
    a_plain, b_plain, c_plain = plain[0, 0], plain[1, 0] if two else 0.0, plain[1, 1] if two else 0.0
    result, volume = 0.0, 1.0
    for g in range(groups):
        here, v = at + g, v_at + g
        e1, e2 = score[v], score[v + groups] if two else 0.0
        w1, w2 = w[w_at + g], w[w_at + groups + g] if two else 0.0
        i11 = information[here]
        i21, i22 = (information[here + 2 * groups], information[here + 3 * groups]) if two else (0.0, 0.0)
        p11, p12, p21, p22 = i11 * a + i21 * b, i21 * c, i21 * a + i22 * b, i22 * c
        l11 = math.sqrt(1.0 + a * p11 + b * p21)
        l21 = c * p21 / l11
        l22 = math.sqrt(1.0 + c * p22 - l21 * l21)
        y1 = (a * e1 + b * e2) / l11
        y2 = (c * e2 - l21 * y1) / l22
        o2 = (w2 + y2) / l22
        o1 = (w1 + y1 - l21 * o2) / l11
        lower[here], product[here], explained[v], shifted[v], normals[v] = l11, p11, y1, w1 + y1, o1
        u[u_at + g] = a_plain * o1
        if two:
            lower[here + 2 * groups], lower[here + 3 * groups] = l21, l22
            product[here + groups], product[here + 2 * groups], product[here + 3 * groups] = p12, p21, p22
            explained[v + groups], shifted[v + groups], normals[v + groups] = y2, w2 + y2, o2
            u[u_at + groups + g] = b_plain * o1 + c_plain * o2
        volume *= l11 * l22
        result -= 0.5 * (o1 * o1 + o2 * o2)
        if volume > 1e150:
            result -= math.log(volume)
            volume = 1.0
    return result - math.log(volume)


@numba.njit(**NJIT)
def _few_back(record: Any, factor: Any, work: Any) -> None:
    """As `back`."""
    two, groups, at, v_at, w_at, u_at = (
        factor.width == 2, factor.groups, factor.information, factor.effects, factor.coordinate, factor.start,
    )  # fmt: skip
    plain = matrix(work.roots + 8 * factor.root, factor.width)
    scaled = matrix(work.scaled_roots + 8 * factor.root, factor.width)
    by_plain, by_scaled = matrix(work.by_root, factor.width), matrix(work.by_scaled_root, factor.width)
    lower, product = doubles(work.lower), doubles(work.product)
    by_u, score = doubles(work.by_theta), doubles(work.effects_score)
    shifted, explained = doubles(work.shifted), doubles(work.explained)
    normals, by_w = doubles(work.normals), doubles(work.by_w)
    by_score = doubles(work.by_score)
    a, b, c = scaled[0, 0], scaled[1, 0] if two else 0.0, scaled[1, 1] if two else 0.0
    a_plain, b_plain, c_plain = plain[0, 0], plain[1, 0] if two else 0.0, plain[1, 1] if two else 0.0
    for g in range(groups):
        here, v, second = at + g, v_at + g, v_at + groups + g
        g1, o1, q1, y1, e1 = by_u[u_at + g], normals[v], shifted[v], explained[v], score[v]
        l11, p11 = lower[here], product[here]
        g2, o2, q2, y2, e2, l21, l22, p12, p21, p22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0
        if two:
            g2, o2, q2 = by_u[u_at + groups + g], normals[second], shifted[second]
            y2, e2, l21, l22 = explained[second], score[second], lower[here + 2 * groups], lower[here + 3 * groups]
            p12, p21, p22 = product[here + groups], product[here + 2 * groups], product[here + 3 * groups]
        s1 = (a_plain * g1 + b_plain * g2 - o1) / l11
        s2 = (c_plain * g2 - o2 - l21 * s1) / l22
        b2 = s2 / l22
        b1 = (s1 - l21 * b2) / l11
        by_w[w_at + g], by_score[g] = s1, a * b1
        m11, m21, m22 = -0.5 - 0.5 * s1 * (q1 + y1), -0.5 * (q2 * s1 + s2 * y1), -0.5 - 0.5 * s2 * (q2 + y2)
        m21, m22, m20 = m21 / l22, m22 / l22, m21
        m11, m12 = (m11 - l21 * m21) / l11, (m20 - l21 * m22) / l11
        t12, t22 = m12 / l22, m22 / l22
        t11, t21 = (m11 - l21 * t12) / l11, (m21 - l21 * t22) / l11
        by_plain[0, 0] += g1 * o1
        by_scaled[0, 0] += e1 * b1 + 2.0 * (p11 * t11 + p12 * t21)
        if two:
            by_w[w_at + groups + g], by_score[groups + g] = s2, b * b1 + c * b2
            by_plain[1, 0] += g2 * o1
            by_plain[1, 1] += g2 * o2
            by_scaled[1, 0] += e2 * b1 + 2.0 * (p21 * t11 + p22 * t21)
            by_scaled[1, 1] += e2 * b2 + 2.0 * (p21 * t12 + p22 * t22)
