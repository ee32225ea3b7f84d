"""What `effects` computes, for few groups of one or two effects: one group at a time, in registers.

Runs of two or three numbers cost more than the arithmetic on them: without this, fitting a logistic model of two groups
takes an eighth longer. Formulas, names and places are those of `effects`; with one effect the second is nothing: its Λ,
information and score are zero.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from hiermod.engine.special import NJIT

FEW = 24  # groups, up to which this is quicker
Array = np.ndarray


@numba.njit(**NJIT)
def few_forward(
    d: int, groups: int, w: Array, w_at: int, plain: Array, factor: Array, information: Array, at: int, u: Array,
    u_at: int, lower: Array, product: Array, score: Array, shifted: Array, own: Array, normals: Array, v_at: int,
) -> float:  # fmt: skip
    """As `effects_forward`."""
    two = d == 2
    a, b, c = factor[0, 0], factor[1, 0] if two else 0.0, factor[1, 1] if two else 0.0
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
        lower[here], product[here], own[v], shifted[v], normals[v] = l11, p11, y1, w1 + y1, o1
        u[u_at + g] = a_plain * o1
        if two:
            lower[here + 2 * groups], lower[here + 3 * groups] = l21, l22
            product[here + groups], product[here + 2 * groups], product[here + 3 * groups] = p12, p21, p22
            own[v + groups], shifted[v + groups], normals[v + groups] = y2, w2 + y2, o2
            u[u_at + groups + g] = b_plain * o1 + c_plain * o2
        volume *= l11 * l22
        result -= 0.5 * (o1 * o1 + o2 * o2)
        if volume > 1e150:
            result -= math.log(volume)
            volume = 1.0
    return result - math.log(volume)


@numba.njit(**NJIT)
def few_back(
    d: int, groups: int, by_u: Array, u_at: int, plain: Array, factor: Array, lower: Array, product: Array, at: int,
    score: Array, shifted: Array, own: Array, normals: Array, v_at: int, by_w: Array, w_at: int, by_score: Array,
    by_plain: Array, by_factor: Array,
) -> None:  # fmt: skip
    """As `effects_back`."""
    two = d == 2
    a, b, c = factor[0, 0], factor[1, 0] if two else 0.0, factor[1, 1] if two else 0.0
    a_plain, b_plain, c_plain = plain[0, 0], plain[1, 0] if two else 0.0, plain[1, 1] if two else 0.0
    for g in range(groups):
        here, v, second = at + g, v_at + g, v_at + groups + g
        g1, o1, q1, y1, e1 = by_u[u_at + g], normals[v], shifted[v], own[v], score[v]
        l11, p11 = lower[here], product[here]
        g2, o2, q2, y2, e2, l21, l22, p12, p21, p22 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0
        if two:
            g2, o2, q2, y2, e2 = by_u[u_at + groups + g], normals[second], shifted[second], own[second], score[second]
            l21, l22 = lower[here + 2 * groups], lower[here + 3 * groups]
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
        by_factor[0, 0] += e1 * b1 + 2.0 * (p11 * t11 + p12 * t21)
        if two:
            by_w[w_at + groups + g], by_score[groups + g] = s2, b * b1 + c * b2
            by_plain[1, 0] += g2 * o1
            by_plain[1, 1] += g2 * o2
            by_factor[1, 0] += e2 * b1 + 2.0 * (p21 * t11 + p22 * t21)
            by_factor[1, 1] += e2 * b2 + 2.0 * (p21 * t12 + p22 * t22)
