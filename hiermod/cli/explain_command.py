"""``hiermod explain``: what a formula means, with data or without; nothing is sampled."""

from __future__ import annotations

import argparse

from hiermod.cli.output import DONE


def run(options: argparse.Namespace) -> int:
    """Print the explanation."""
    from hiermod.show.explanation import explain, explain_formula

    if options.data is None:
        from hiermod.formula.parser import parse

        print(explain_formula(parse(options.formula)))
        return DONE
    from hiermod.interface.notices import announce
    from hiermod.modeling.definition import Definition, define

    defined = define(Definition(options.formula, options.family), options.data)
    announce(defined.notices)
    print(explain(defined.spec))
    return DONE
