import pickle

from hiermod.formula.parser import parse


def test_an_expression_carries_the_columns_and_functions_behind_it():
    (expression,) = parse("y ~ scale(log(x) + z / x)").expressions.values()
    assert expression.columns == ("x", "z")
    assert expression.functions == {"scale", "log"}
    assert pickle.loads(pickle.dumps(expression)) == expression


def test_a_formula_carries_the_columns_behind_each_of_its_variables():
    formula = parse("y | weights(w) ~ log(x):z + offset(u) + (0 + v | g:h)")
    assert formula.sources == {"log(x)": ("x",), "z": ("z",), "v": ("v",), "offset(u)": ("u",)}
    assert formula.common_columns == ("log(x)", "z", "x")
    assert formula.all_columns == ("y", "w", "x", "z", "v", "u", "g", "h")
    assert pickle.loads(pickle.dumps(formula)).all_columns == formula.all_columns
