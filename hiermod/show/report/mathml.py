"""Formulas in MathML, from the LaTeX that a model's explanation writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from hiermod.errors import visible

TOKENS = re.compile(r"\\(?:[A-Za-z]+|[^A-Za-z])|[{}_^&]|\d+(?:\.\d+)?|[^\s]")
SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "theta": "θ", "mu": "μ", "nu": "ν", "sigma": "σ", "phi": "φ", "eta": "η",
    "kappa": "κ", "lambda": "λ", "pi": "π", "tau": "τ", "zeta": "ζ", "delta": "δ", "epsilon": "ε", "rho": "ρ",
    "psi": "ψ", "omega": "ω", "xi": "ξ", "Phi": "Φ", "Gamma": "Γ", "Delta": "Δ", "Sigma": "Σ", "Omega": "Ω",
}  # fmt: skip
OPERATORS = {
    "sim": "∼", "propto": "∝", "cdot": "·", "times": "×", "top": "⊤", "mid": "|", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "backslash": "\\", "wedge": "^", "infty": "∞", "dots": "…", "ldots": "…", "cdots": "⋯", "in": "∈",
    "sum": "∑", "prod": "∏", "pm": "±", "to": "→", "mapsto": "↦", "lfloor": "⌊", "rfloor": "⌋", "neq": "≠",
}  # fmt: skip
TEXTS = {"text", "operatorname", "mathrm", "mathcal", "mathbb", "mathit", "mathbf", "boldsymbol"}
STYLES = {"displaystyle", "textstyle", "limits", "nolimits"}  # of the size of what follows, which MathML chooses
ROOMS = {",": "0.17em", ";": "0.28em", ":": "0.22em", " ": "0.25em", "quad": "1em", "qquad": "2em", "!": "0em"}


def mathml(latex: str) -> str:
    """Aligned equations as a MathML table; a command that is not known stands by its name."""
    body = latex.removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}")
    rows = []
    for line in re.split(r"\\\\\s*\n", body):
        sides = "".join(f"<mtd>{_row(side)}</mtd>" for side in _sides(line))
        rows.append(f"<mtr>{sides}</mtr>")
    return f'<math display="block"><mtable displaystyle="true">{"".join(rows)}</mtable></math>'


def _sides(line: str) -> list[str]:
    """The parts of a line at its ampersands that are not escaped."""
    return re.split(r"(?<!\\)&", line, maxsplit=1)


def _row(latex: str) -> str:
    tokens = _Tokens(latex)
    return f"<mrow>{''.join(_sequence(tokens))}</mrow>"


class _Tokens:
    """Tokens that are taken one by one; a text in braces is taken as it stands."""

    def __init__(self, latex: str) -> None:
        self.latex, self.place = latex, 0

    def peek(self) -> str:
        found = TOKENS.search(self.latex, self.place)
        return found.group() if found else ""

    def take(self) -> str:
        found = TOKENS.search(self.latex, self.place)
        if found is None:
            return ""
        self.place = found.end()
        return found.group()

    def braced(self) -> str:
        """The text in the braces that follow, escapes resolved."""
        start = self.latex.index("{", self.place) + 1
        depth, place = 1, start
        while place < len(self.latex) and depth:
            mark = self.latex[place]
            if mark == "\\":
                place += 1
            depth += {"{": 1, "}": -1}.get(mark, 0)
            place += 1
        self.place = place
        return re.sub(r"\\(.)", r"\1", self.latex[start : place - 1])


def _sequence(tokens: _Tokens) -> Iterator[str]:
    while (token := tokens.peek()) and token != "}":
        yield _scripted(tokens)


def _scripted(tokens: _Tokens) -> str:
    """An atom with what stands below and above it."""
    base, below, above = _atom(tokens), "", ""
    while (mark := tokens.peek()) in ("_", "^"):
        tokens.take()
        script = _atom(tokens)
        below, above = (script, above) if mark == "_" else (below, script)
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    if below:
        return f"<msub>{base}{below}</msub>"
    return f"<msup>{base}{above}</msup>" if above else base


def _atom(tokens: _Tokens) -> str:
    token = tokens.take()
    if token == "{":
        inside = "".join(_sequence(tokens))
        tokens.take()
        return f"<mrow>{inside}</mrow>"
    if token.startswith("\\"):
        return _command(token[1:], tokens)
    if token[0].isdigit():
        return f"<mn>{token}</mn>"
    return f"<mi>{escape(token)}</mi>" if token.isalpha() else f"<mo>{escape(token)}</mo>"


def _command(name: str, tokens: _Tokens) -> str:
    if name in TEXTS:
        return f"<mtext>{escape(visible(tokens.braced()))}</mtext>"
    if name == "frac":
        above, below = _atom(tokens), _atom(tokens)
        return f"<mfrac>{above}{below}</mfrac>"
    if name == "sqrt":
        return f"<msqrt>{_atom(tokens)}</msqrt>"
    if name in STYLES:
        return "<mrow></mrow>"
    if name in ROOMS:
        return f'<mspace width="{ROOMS[name]}"></mspace>'
    if name in SYMBOLS:
        return f"<mi>{SYMBOLS[name]}</mi>"
    if name in OPERATORS:
        return f"<mo>{escape(OPERATORS[name])}</mo>"
    if name in ("left", "right"):
        return _atom(tokens)
    return f"<mo>{escape(name)}</mo>" if len(name) == 1 else f"<mi>{escape(name)}</mi>"
