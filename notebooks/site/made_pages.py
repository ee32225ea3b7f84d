"""Pages that are made: tables of distributions and functions from their records, and the documents of the root.

`write` puts them into a folder that is not kept; a page is only written where it changed, so that builds stay short.
"""

import re
from pathlib import Path

DOCUMENTS = {
    "LIMITATIONS.md": "limits",
    "CHANGELOG.md": "changes",
    "CONTRIBUTING.md": "contributing",
    "ARCHITECTURE.md": "architecture",
    "benchmarks/README.md": "how_fast",
    "benchmarks/calibration/README.md": "calibration",
    "tests/reference/README.md": "references",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def write(root: Path, folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {name: document(root, path) for path, name in DOCUMENTS.items()}
    pages |= {"distributions": distributions(), "functions": functions()}
    for stale in set(folder.glob("*.md")) - {folder / f"{name}.md" for name in pages}:
        stale.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def document(root: Path, path: str) -> str:
    """A document of the root whose links lead to pages of the site; to what is no page, they are words."""
    return linked((root / path).read_text(encoding="utf-8"), root, (root / path).parent)


def linked(text: str, root: Path, base: Path) -> str:
    """A text whose links, which are right in the folder `base`, lead to pages of the site."""

    def place(found: re.Match[str]) -> str:
        image, label, target, anchor = found.group(1), found.group(2), found.group(3), found.group(4) or ""
        whole = (base / target).resolve()
        inside = whole.relative_to(root).as_posix() if whole.is_relative_to(root) else ""
        if image:
            return f"![{label}](/../{inside})"
        if inside in DOCUMENTS:
            return f"[{label}](/site/made/{DOCUMENTS[inside]}.md)"
        if inside.startswith("notebooks/") and whole.suffix in (".md", ".ipynb"):
            return f"[{label}](/{inside.removeprefix('notebooks/')}{anchor})"
        return f"[{label}](/index.md)" if inside == "README.md" else label

    return LINK.sub(place, text)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def distributions() -> str:
    """The table of prior distributions, from their records."""
    from hiermod.priors.distributions import DISTRIBUTIONS

    rows = [
        [f"`{own.name}({', '.join(own.parameters)})`", own.support, "engine" if own.standard else "PyMC"]
        for own in DISTRIBUTIONS.values()
    ]
    return f"# The distributions\n\n{_table(['written', 'values', 'sampled by'], rows)}\n"


def functions() -> str:
    """The functions that a formula may call."""
    from hiermod.formula import vocabulary

    names = sorted(getattr(vocabulary, "FUNCTIONS", {}))
    return "# Functions in formulas\n\n" + ", ".join(f"`{name}`" for name in names) + "\n"
