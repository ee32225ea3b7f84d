"""What hiermod is made of: hashes and licences of the lock, known advisories, and calls that open doors.

Nothing is asked of a network. `trust/advisories.json` is a snapshot of the PyPA advisory database, reduced to the
packages of the lock; it says of which day. The exit code is 1 where something is found.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-spark.txt")
REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
FREE = re.compile(  # licences that let anybody use and pass on a package beside code under Apache-2.0
    r"\b(MIT|BSD|Apache|PSF|ISC|MPL|0BSD|Zlib|CC0|Unlicense|Python Software Foundation|HPND|Public Domain|Kiwi)\b", re.I
)
BOUND = re.compile(r"\b(A?GPL|GNU (Affero )?General|SSPL|Commons Clause|Business Source|NonCommercial)\b", re.I)
READ = {  # packages whose metadata hold a copyright line or nothing; their licence files were read
    "matplotlib": "PSF-based", "matplotlib-inline": "BSD-3-Clause", "polars": "MIT", "polars-runtime-32": "MIT",
    "scipy": "BSD-3-Clause", "h5netcdf": "BSD-3-Clause",
}  # fmt: skip
DOORS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads", "marshal.loads",
    "subprocess.run", "subprocess.Popen", "subprocess.call", "cloudpickle.loads", "yaml.load", "joblib.load", "input",
    "importlib.import_module", "ctypes.CDLL", "pd.read_pickle",
}  # fmt: skip
ALLOWED = {  # where a door is meant; notebooks/site/threat_model.md says why
    ("hiermod/engine/build/parts.py", "pickle.loads"), ("hiermod/engine/build/front_end.py", "subprocess.run"),
    ("hiermod/families/registry.py", "cloudpickle.loads"), ("hiermod/sampling/run.py", "ctypes.CDLL"),
    ("hiermod/engine/nutpie_core.py", "importlib.import_module"),
}  # fmt: skip


def locked() -> dict[str, set[str]]:
    """Versions by package of all locks."""
    found: dict[str, set[str]] = {}
    for name in LOCKS:
        for package, version in REQUIREMENT.findall((ROOT / name).read_text()):
            found.setdefault(normal(package), set()).add(version)
    return found


def normal(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def without_hashes() -> Iterator[str]:
    """Lines of the locks that a download is not held to."""
    for name in LOCKS:
        for block in re.split(r"\n(?=[^\s#])", (ROOT / name).read_text()):
            line = next((line for line in block.splitlines() if line and not line.startswith("#")), "")
            if line and (not REQUIREMENT.match(line) or not HASH.search(block)):
                yield f"{name}: {line.split()[0]} has no hash"
            if "://" in re.sub(r"#.*", "", block):
                yield f"{name}: {line.split()[0]} is fetched from an address"


def other_versions() -> Iterator[str]:
    """Packages that are installed in another version than the locked one."""
    versions = locked()
    for each in distributions():
        name = normal(each.metadata["Name"])
        if name in versions and each.version not in versions[name]:
            yield f"{name} {each.version} is installed, {' or '.join(sorted(versions[name]))} is locked"


def unfree_licences() -> Iterator[str]:
    """Installed packages of the lock whose licence binds those who use them, or is not known."""
    versions = locked()
    for each in distributions():
        name = normal(each.metadata["Name"])
        if name not in versions or name in READ:
            continue
        licence = licence_of(each)
        if BOUND.search(licence) and not re.search(r"\bOR\b", licence):
            yield f"{name}: {licence[:80]}"
        elif not FREE.search(licence):
            yield f"{name}: a licence that is not known: {licence[:60]!r}"


def licence_of(package: Distribution) -> str:
    classifiers = [text for text in package.metadata.get_all("Classifier") or [] if text.startswith("License ::")]
    stated = package.metadata.get("License-Expression") or "; ".join(classifiers) or package.metadata.get("License")
    return " ".join((stated or "").split())[:200]


def advisories() -> dict[str, Any]:
    """The snapshot."""
    return dict(json.loads((ROOT / "tests" / "trust" / "advisories.json").read_text()))


def affected() -> Iterator[str]:
    """Locked versions for which an advisory is known."""
    versions = locked()
    for each in advisories()["advisories"]:
        for text in versions.get(normal(each["package"]), ()):
            if text in each.get("versions", ()) or any(within(Version(text), *span) for span in each["spans"]):
                yield f"{each['package']} {text}: {each['id']}"


def within(version: Version, first: str | None, last: str | None, through: bool) -> bool:
    """Whether a version lies in a span; its end is affected itself or not."""
    low = Version(first or "0")
    if last is None:
        return version >= low
    return low <= version <= Version(last) if through else low <= version < Version(last)


def open_doors() -> Iterator[str]:
    """Calls of the package that run what they read, where none is meant to be."""
    for path in sorted((ROOT / "hiermod").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called == "importlib.import_module" and isinstance(node.args[0], ast.Constant):
                    continue  # of a module that is named here
                if called in DOORS and (name, called) not in ALLOWED:
                    yield f"{name}:{node.lineno}: {called}"
                if any(
                    keyword.arg in ("shell", "allow_pickle") and ast.unparse(keyword.value) != "False"
                    for keyword in node.keywords
                ):
                    yield f"{name}:{node.lineno}: {called} with a shell or with pickles"


CHECKS = {
    "every line of the locks has a hash": without_hashes, "what is installed is what is locked": other_versions,
    "licences let hiermod be used and passed on": unfree_licences, "no advisory is known": affected,
    "nothing runs what it reads but where that is meant": open_doors,
}  # fmt: skip


def main() -> None:
    failed = False
    for what, check in CHECKS.items():
        found = list(check())
        failed = failed or bool(found)
        print(f"{'FOUND' if found else 'ok':6} {what}" + "".join(f"\n       {line}" for line in found))
    snapshot = advisories()
    print(f"{len(locked())} packages; advisories: {snapshot['source']}, as of {snapshot['date']}")
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
