"""What all pictures share: colours, markers, the text of levels, ticks of rows, new figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import Formatter, FuncFormatter, Locator

from hiermod.data.columns.values import level_text
from hiermod.errors import visible

# Okabe and Ito's colours, which the colour-blind tell apart, without the yellow that fades on white and the black that
# fades on dark pages; olive is from Tol's muted scheme.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999933")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#7F7F7F"
FILL, BAND = 0.5, 0.35  # opacity of bars and intervals, and of grey bands, which can be seen on white and on black
MAX_CHARACTERS = 28
TICKS = 6  # spaces between the ticks of values below rows, at most: the labels of more touch on narrow pictures
LINE = 1.3  # from one line of text to the next, in font sizes
TIGHT = 1.05  # the same, where lines are numbers


FontSetting = Literal["axes.titlesize", "legend.fontsize", "ytick.labelsize"]


def literal(text: str) -> str:
    """Text that is shown as it stands: a dollar sign starts no formula."""
    return visible(text).replace("$", r"\$")


def shorten(texts: Sequence[str], width: int = MAX_CHARACTERS) -> list[str]:
    """Cut long texts with an ellipsis: at the end, or in the middle where they would look alike."""
    texts = [visible(text) for text in texts]
    ends = [text if len(text) <= width else f"{text[: width - 1]}…" for text in texts]
    sharing = Counter(end for _, end in set(zip(texts, ends, strict=True)))
    head = width // 2
    return [
        f"{text[:head]}…{text[head + 1 - width :]}" if sharing[end] > 1 and len(text) > width else end
        for text, end in zip(texts, ends, strict=True)
    ]


def ink() -> str:
    """The colour of text, which lines that carry no data share on light and dark backgrounds."""
    return rcParams["text.color"]


def one(text: Any) -> str:
    """A single name or level, cut and literal."""
    return literal(shorten([level_text(text)])[0])


def font_points(setting: FontSetting) -> float:
    """A font size of matplotlib's settings, in points."""
    return FontProperties(size=rcParams[setting]).get_size_in_points()


def height_points(ax: Axes) -> float:
    """How high the axes are now, in points."""
    return ax.get_window_extent().height * 72.0 / _figure(ax).dpi


def width_points(ax: Axes) -> float:
    """How much room there is from the left of the axes to their right, or to that of a figure without others."""
    figure, extent = _figure(ax), ax.get_window_extent()
    right = figure.bbox.x1 if figure.axes == [ax] else extent.x1
    return (right - extent.x0) * 72.0 / figure.dpi


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


USUAL = 6.4  # matplotlib's width of a figure in inches


def inches(width: float) -> float:
    """How wide a figure is, that has so many inches at matplotlib's usual width, by its setting of figures' sizes."""
    return width * rcParams["figure.figsize"][0] / USUAL


def axes_for(ax: Axes | None, rows: float, labels: Sequence[str]) -> Axes:
    """The given axes, or those of a new figure that grows with its rows, up to a page, and with long labels."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    width = inches(7.0) + 0.08 * max(max(map(len, labels)) - 10, 0)
    height = 1.6 + 0.32 * min(rows, 20) + 0.2 * min(max(rows - 20, 0), 40)
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


class RowLocator(Locator):
    """Ticks at rows; at every k-th row where the labels of all would overlap, or with `whole` at none."""

    def __init__(self, rows: Axis, positions: np.ndarray, points: float, whole: bool = False) -> None:
        self._rows, self._positions, self._points, self._whole = rows, np.sort(positions), points, whole

    def __call__(self) -> Sequence[float]:
        """The ticks in view."""
        return self.tick_values(*self._rows.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        """The ticks between two ends, as many as the height of the axes has room for."""
        low, high = min(vmin, vmax), max(vmin, vmax)
        positions = self._positions[(self._positions >= low) & (self._positions <= high)]
        if len(positions) < 2:
            return list(positions)
        row = np.diff(positions).min() / (high - low) * height_points(self._rows.axes)
        step = max(int(np.ceil(self._points / row)), 1) if row > 0 else len(positions)
        return [] if self._whole and step > 1 else list(positions[::step])


def label_rows(
    axis: Axis, positions: np.ndarray, labels: Sequence[str], scale: float = 1.0, whole: bool = False
) -> None:
    """Label rows, thinned where they are dense, or with `whole` not at all; `scale` is of the usual font size."""
    size = scale * font_points("ytick.labelsize")
    axis.set_major_locator(RowLocator(axis, positions, (TIGHT if whole else LINE) * size, whole))
    axis.set_major_formatter(FuncFormatter(lambda y, _: labels[int(np.abs(positions - y).argmin())]))
    axis.set_tick_params(length=0, labelsize=size)


def bare(ax: Axes) -> None:
    """Rows read from labels and a light grid; the first row stands at the top."""
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.grid(axis="x", color=GREY, alpha=0.25, linewidth=0.6)
    ax.locator_params(axis="x", nbins=TICKS)
    ax.set_axisbelow(True)


def set_heading(ax: Axes, title: str, handles: Sequence[Any] = (), labels: Sequence[str] = (), lines: int = 0) -> None:
    """A title over the axes, with a legend between them, above `lines` of other text.

    The legend stands outside, where nothing can overlap it in any axes.
    """
    size = 0.9 * font_points("legend.fontsize")
    pad = 6.0 + lines * 1.5 * size
    if handles:
        # matplotlib 3.9 leaves out labels that start with an underscore, which levels may.
        shown = [f" {label}" if label.startswith("_") else label for label in labels]
        columns = _columns(shown, width_points(ax) / size)
        ax.legend(
            handles, shown, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, frameon=False, fontsize=size,
            borderaxespad=0.2 + 1.5 * lines, borderpad=0.2, handlelength=1.6, columnspacing=1.4,
        )  # fmt: skip
        pad += (1.5 * int(np.ceil(len(shown) / columns)) + 0.4) * size
    ax.set_title(title, loc="left", pad=pad, fontsize=font_points("axes.titlesize") * 0.95)


def _columns(labels: Sequence[str], width: float) -> int:
    """In how many columns labels with their handles fit a width in font sizes."""
    widths = [0.56 * len(label) + 3.8 for label in labels]
    return len(labels) if sum(widths) <= width else max(int(width // max(widths)), 1)


def heat_map(both_ways: bool) -> Colormap:
    """From transparent to blue; with `both_ways` from orange over transparent to blue: so it fits any ground."""
    orange, blue = to_rgb(COLOURS[1]), to_rgb(COLOURS[0])
    if not both_ways:
        return LinearSegmentedColormap.from_list("probability", [(*blue, 0.0), (*blue, 1.0)])
    stops = [(0.0, (*orange, 1.0)), (0.4999, (*orange, 0.0)), (0.5001, (*blue, 0.0)), (1.0, (*blue, 1.0))]
    return LinearSegmentedColormap.from_list("probability", stops)


def format_percent(axis: Axis) -> None:
    """Ticks as percentages."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100.0 * value, 6):g}%"))


def format_signed_percent(axis: Axis, symbol: str = "%") -> None:
    """Ticks as changes: ``+20%``; without a symbol, percentage points."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: signed_percent(value, symbol)))


def signed_percent(value: float, symbol: str = "%") -> str:
    """A change as ``+20%``; none as ``0%``."""
    rounded = round(100.0 * value, 6)
    return Formatter.fix_minus(f"{rounded:+g}{symbol}" if rounded else f"0{symbol}")


def probability_text(probability: float, shown: float = 1.0) -> str:
    """A probability with one decimal; draws that agree are no certainty, and show none above `shown`."""
    bound = np.floor(1e3 * min(shown, 0.999) + 1e-9) / 1e3
    if probability >= min(0.9995, shown):
        return f">{bound:.1%}"
    return f"<{1.0 - bound:.1%}" if probability < max(0.0005, 1.0 - shown) else f"{probability:.1%}"
