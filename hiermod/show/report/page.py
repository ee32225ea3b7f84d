"""The page: blocks put into templates, all text escaped, and a policy by which it asks nothing of anybody."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from hiermod.errors import visible
from hiermod.show.report.blocks import Chapter
from hiermod.version import __version__


def render(title: str, chapters: Sequence[Chapter], kicker: str = "") -> str:
    """The whole page as HTML."""
    from markupsafe import Markup

    style, script = (_part(name) for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return str(
        _environment().get_template("page.html.j2").render(
            title=visible(title), kicker=visible(kicker), chapters=chapters, policy=policy, version=__version__,
            style=Markup(style), script=Markup(script), # both are files of this package
        )
    )  # fmt: skip


def render_table(table: Any) -> str:
    """One table as HTML by the page's template, for papers and other pages; what style it needs stands in its cells."""
    template = _environment().get_template("blocks.html.j2")
    return str(template.module.table(table, alone=True)).strip()


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("hiermod.show.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


@cache
def _part(name: str) -> str:
    return (files("hiermod.show.report") / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
