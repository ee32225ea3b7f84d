"""Small faults that somebody could have typed: each changes one place of a file's syntax tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Mutant:
    """A fault: the lines of the statement that it stands in, what was there, what is there now, and the tree."""

    first: int
    last: int
    before: str
    after: str
    tree: ast.Module


@dataclass(frozen=True, eq=False)
class _Place:
    """A node that a fault replaces: the field of its parent that holds it, and the statement around it."""

    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt
    raising: bool

    @property
    def node(self) -> ast.AST:
        value = getattr(self.parent, self.field)
        return value if self.index is None else value[self.index]

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


SKIPPED = ("annotation", "returns", "decorator_list", "type_comment", "type_params")


def _places(parent: ast.AST, statement: ast.stmt | None = None, raising: bool = False) -> Iterator[_Place]:
    for field, value in ast.iter_fields(parent):
        if field in SKIPPED:
            continue
        children = value if isinstance(value, list) else [value]
        for index, child in enumerate(children):
            if not isinstance(child, ast.AST) or isinstance(child, ast.JoinedStr | ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if isinstance(child, ast.Subscript) and ast.unparse(child.value) == "Literal":
                continue  # a type
            around = child if isinstance(child, ast.stmt) else statement
            inside = raising or isinstance(child, ast.Raise)
            if around is not None:
                yield _Place(parent, field, index if isinstance(value, list) else None, around, inside)
            yield from _places(child, around, inside)


def _replacements(place: _Place) -> Iterator[Callable[[Any], ast.AST]]:
    node = place.node
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARED:
            yield lambda copied: ast.Compare(copied.left, [COMPARED[type(op)]()], copied.comparators)
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            yield lambda copied: ast.BinOp(copied.left, COMPUTED[type(op)](), copied.right)
        case ast.AugAssign(op=op) if type(op) in COMPUTED:
            yield lambda copied: ast.AugAssign(copied.target, COMPUTED[type(op)](), copied.value)
        case ast.BoolOp(op=ast.And()):
            yield lambda copied: ast.BoolOp(ast.Or(), copied.values)
        case ast.BoolOp(op=ast.Or()):
            yield lambda copied: ast.BoolOp(ast.And(), copied.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield lambda copied: copied.operand
        case ast.Constant(value=bool(value)):
            yield lambda copied: ast.Constant(not value)
        case ast.Constant(value=int() | float() as value):
            yield lambda copied: ast.Constant(value + 1 if value + 1 != value else 2 * value)
        case ast.Constant(value=str(value)) if not place.raising and " " not in value:  # with spaces it is prose
            yield lambda copied: ast.Constant(value[:-1] + chr(ord(value[-1]) + 1) if value else "X")
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield lambda copied: ast.Return(ast.Constant(None))
        case ast.Raise():
            yield lambda copied: ast.Pass()
    tested = place.field == "test" or (place.field == "ifs" and isinstance(place.parent, ast.comprehension))
    if tested and isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript):
        yield lambda copied: ast.UnaryOp(ast.Not(), copied)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def mutants(source: str) -> Iterator[Mutant]:
    """Every fault of a file, in the order of the text."""
    tree = ast.parse(source)
    places = list(_places(tree))
    for number, place in enumerate(places):
        for replace in _replacements(place):
            before = ast.unparse(place.node)
            copied = copy.deepcopy(tree)
            target = _nth(copied, number)
            changed = ast.copy_location(replace(target.node), target.node)
            after = ast.unparse(ast.fix_missing_locations(changed))
            target.put(changed)
            node = place.statement
            last = node.lineno if hasattr(node, "body") else node.end_lineno or node.lineno
            yield Mutant(
                place.node.lineno if hasattr(place.node, "lineno") else node.lineno,
                last,
                before,
                after,
                ast.fix_missing_locations(copied),
            )


def _nth(tree: ast.Module, number: int) -> _Place:
    for count, place in enumerate(_places(tree)):
        if count == number:
            return place
    raise IndexError(number)
