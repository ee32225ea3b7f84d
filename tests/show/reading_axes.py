"""Reads pictures back as data."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import LineCollection


def horizontal_lines(ax):
    """Each set of horizontal lines: an array with rows ``y, left, right``, in the order they were drawn."""
    sets = [child for child in ax.collections if isinstance(child, LineCollection)]
    return [np.array([(line[0, 1], line[0, 0], line[1, 0]) for line in each.get_segments()]) for each in sets]


def points(ax):
    """Each set of points: x, y."""
    return [line.get_xydata() for line in ax.lines if line.get_linestyle() == "None"]


def dashed(ax):
    """Where dashed vertical lines stand."""
    return [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]


def row_labels(ax):
    """Labels of rows by their position, as drawn."""
    ax.figure.draw_without_rendering()
    return {float(tick.get_loc()): tick.label1.get_text() for tick in ax.yaxis.get_major_ticks()}


def right_labels(ax):
    """Labels at the right of rows by their position, as drawn."""
    (right,) = ax.child_axes
    ax.figure.draw_without_rendering()
    return {float(tick.get_loc()): tick.label2.get_text() for tick in right.yaxis.get_major_ticks()}


def plain(text):
    """A label as a reader sees it."""
    return text.replace(r"\$", "$")
