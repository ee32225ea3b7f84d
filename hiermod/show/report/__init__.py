"""Reports: one self-contained page about fits, answers and comparisons.

`of_fit` and `of_results` say what a page holds, as the blocks of `blocks`; `svg` and `mathml` make pictures and
formulas that follow the page's colours; `page` puts blocks into the templates, all text escaped, under a policy that
lets the page ask nothing of anybody.
"""
