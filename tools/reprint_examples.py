"""Write under the Python blocks of the README and the site's pages what they print today.

``python tools/reprint_examples.py [PAGE ...]``; pages whose scripts need files of their own are left to
`tests/cli/test_pages_with_files.py`. Read the difference before it is committed: words around numbers stay.
"""

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WITH_FILES = "notebooks/site/first_file.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```$(\s*^```text\n(.*?)^```$)?", flags=re.MULTILINE | re.DOTALL)


def reprinted(text: str) -> str:
    """The page with what its blocks print."""
    names: dict[str, object] = {}

    def again(found: re.Match[str]) -> str:
        caught = io.StringIO()
        with contextlib.redirect_stdout(caught):
            exec(compile(found.group(1), "page", "exec"), names)
        if found.group(2) is None:
            return found.group(0)
        whole, start = found.group(0), found.start(3) - found.start()
        return whole[:start] + caught.getvalue() + whole[start + len(found.group(3)) :]

    return EXAMPLE.sub(again, text)


def main(pages: list[str]) -> None:
    """Rewrite the pages, in a folder that goes."""
    every = [ROOT / "README.md", *(ROOT / "notebooks").rglob("*.md")]
    chosen = [ROOT / page for page in pages] or [page for page in every if page != ROOT / WITH_FILES]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for page in chosen:
            text = page.read_text(encoding="utf-8")
            if "```python\n" in text and (new := reprinted(text)) != text:
                page.write_text(new, encoding="utf-8")
                print(f"rewritten: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
