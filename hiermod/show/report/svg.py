"""Figures as inline SVG: no styles of their own, which the page's policy forbids, and the page's colours for text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from matplotlib import rc_context

from hiermod.show.report.blocks import Picture

INK, GROUND = "#010203", "#fdfefc"  # stand for the colours of the page's text and of its ground
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
# Pictures are narrow, so that their text can be read on a phone.
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none", "font.size": 10.0, "figure.figsize": (4.9, 3.6), "figure.dpi": 100.0, "savefig.dpi": 110.0,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color",
                     "axes.titlecolor", "legend.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), INK),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor", "legend.facecolor"), GROUND),
}  # fmt: skip
FONT = re.compile(r"(?:(?P<weight>bold|\d+) )?(?:(?P<style>italic|oblique) )?(?P<size>[\d.]+)px .*")
DROPPED = {"metadata", "style", "title"}
PLAIN = {
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "stroke-opacity", "fill-opacity", "fill-rule", "opacity", "text-anchor", "font-size",
    "font-weight", "font-style", "clip-path", "image-rendering",
}  # fmt: skip


def picture(draw: Callable[[], Any], description: str, name: str) -> Picture:
    """What `draw` draws, in the colours of the page, with ids that start with a name of its own."""
    import matplotlib.pyplot as plt

    open_before = set(plt.get_fignums())
    settings: Any = {**SETTINGS, "svg.hashsalt": name}
    with rc_context(settings):
        try:
            drawn = draw()
            axes = drawn if hasattr(drawn, "figure") else next(iter(drawn.flat))
            page = io.StringIO()
            axes.figure.savefig(page, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
        finally:
            for number in set(plt.get_fignums()) - open_before:
                plt.close(number)
    return Picture(_cleaned(page.getvalue(), name, description), description)


def _cleaned(text: str, name: str, description: str) -> str:
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in DROPPED:
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = _attributes(element, name)
        if element.text is not None and not element.text.strip():
            element.text = None
        element.tail = None
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.attrib |= {"xmlns": SVG, "role": "img", "aria-label": description, "width": _width(root.attrib["viewBox"])}
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _width(box: str) -> str:
    """The width in pixels, of points."""
    return f"{float(box.split()[2]) * 96.0 / 72.0:.0f}"


def _attributes(element: ElementTree.Element, name: str) -> dict[str, str]:
    """An element's attributes, styles among them, colours and ids as the page needs them."""
    found: dict[str, str] = {}
    for key, value in element.attrib.items():
        key = key.rpartition("}")[2]
        if key == "style":
            for declaration in filter(None, (part.strip() for part in value.split(";"))):
                what, _, how = declaration.partition(":")
                found |= _declared(what.strip(), how.strip())
        elif key == "id":
            found["id"] = f"{name}-{value}"
        elif key == "href":
            found["href"] = f"#{name}-{value[1:]}" if value.startswith("#") else value
        elif key not in ("version", "class"):
            found[key] = value.replace("url(#", f"url(#{name}-")
    classes = [f"ground-{key}" for key in ("fill", "stroke") if found.get(key) == GROUND]
    for key in ("fill", "stroke"):
        if found.get(key) == INK:
            found[key] = "currentColor"
    if classes:
        found["class"] = " ".join(classes)
    if "id" in found and not _referred(element):
        del found["id"]
    return found


def _declared(what: str, how: str) -> dict[str, str]:
    if what == "font" and (font := FONT.fullmatch(how)):
        sizes = {"font-size": font["size"], "font-weight": font["weight"], "font-style": font["style"]}
        return {key: value for key, value in sizes.items() if value}
    return {what: how} if what in PLAIN else {}


def _referred(element: ElementTree.Element) -> bool:
    """Groups have ids that nothing refers to."""
    return element.tag not in ("g", "svg", "text")
