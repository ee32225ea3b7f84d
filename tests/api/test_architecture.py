"""What the documents say of the tree, held against the tree."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hiermod"
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
RECIPES = re.findall(r"^\| (an? [^|]+?) \|(.+)\|$", TEXT.split("## Recipes")[1], re.MULTILINE)
WAYS_BACK = {  # results that print and draw themselves
    ("hiermod.answers.answer", "hiermod.show"),
    ("hiermod.answers.scoring.comparison", "hiermod.show"),
}


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


def imports_of(name):
    """The package's modules that a module imports, for type checkers alone included."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hiermod"):
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {own if own in MODULES else node.module for own in full}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
    return {own for own in found if own != name and not any(name == a and own.startswith(b) for a, b in WAYS_BACK)}


def test_no_files_import_each_other_in_a_circle():
    try:
        TopologicalSorter({name: imports_of(name) for name in MODULES}).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


def test_recipes_are_there():
    assert {
        "a family",
        "a prior distribution",
        "a question",
        "a picture",
        "a function in formulas",
        "a data source",
    } <= {what for what, _ in RECIPES}


@pytest.mark.parametrize(("what", "how"), RECIPES, ids=[what for what, _ in RECIPES])
def test_paths_of_recipes_exist(what, how):
    paths = re.findall(r"`([\w./]+(?:\.\w+|/))`", how)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("path", re.findall(r"`(hiermod/[\w./]*)`", TEXT))
def test_paths_of_the_architecture_exist(path):
    assert (ROOT / path).exists()


def test_every_folder_stands_in_the_table_of_rooms_or_under_one_that_does():
    rooms = re.findall(r"`(hiermod/[\w/]*)/`", TEXT)
    folders = {path.parent.relative_to(ROOT).as_posix() for path in MODULES.values() if path.stem != "__init__"} - {
        "hiermod",
        "hiermod/engine",
    }  # one module of its own
    assert [folder for folder in folders if not any(f"{folder}/".startswith(f"{room}/") for room in rooms)] == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES.values()}), ids=module_name)
def test_every_folder_says_what_it_owns(folder):
    assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))


def test_a_public_function_is_no_module():
    import hiermod as hm

    clashes = [name for name in hm.__all__ if f"hiermod.{name}" in MODULES and name != "errors"]
    assert clashes == []


def test_names_still_to_come_are_absent():
    section = TEXT.split("## Names still to come")[1]
    from hiermod.interface.fit import Model

    for name in ("code",):
        assert f"`model.{name}`" in section
        assert not hasattr(Model, name)


def test_documents_name_no_addresses_of_machines():
    for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LIMITATIONS.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text()
        for word in ("/root/", "/work/", "/tmp/", "pypi.org", "files.pythonhosted"):
            assert word not in text, (name, word)


def test_names_of_test_files_are_their_own():
    """Pytest imports them by their names alone."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name not in ("conftest.py", "__init__.py")]
    assert sorted(names) == sorted(set(names))
