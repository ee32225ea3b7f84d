"""Sphinx's settings: `make docs` builds build/docs from this folder, the docstrings, and the documents of the root."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE / "site"))

import made_pages

from hiermod.version import __version__

project = "hiermod"
author = "the hiermod authors"
copyright = "the hiermod authors"
version = release = __version__
root_doc = "index"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_nb",
    "sphinx_design",
]
exclude_patterns = ["site/_templates", "site/made_pages.py", ".ipynb_checkpoints", "**/.ipynb_checkpoints"]

# Pages and notebooks: executed once, kept until they change.
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "docs-cache")
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist", "html_image"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# Docstrings.
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
default_role = "code"
add_module_names = False
python_use_unqualified_type_names = True

html_theme = "pydata_sphinx_theme"
html_title = "hiermod"
templates_path = ["site/_templates"]
html_static_path = ["site/_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_sidebars = {"index": []}

linkcheck_ignore = []
# Documents of the root are read on their own pages too, where links lead to other documents of the site.
suppress_warnings = [
    "myst.header",
    "misc.highlighting_failure",
]  # pages made of several documents begin below their own title


def setup(app):
    """Write the pages that are made of the code and of the root's documents, before anything is read."""
    made_pages.write(ROOT, HERE / "site" / "made")
    app.connect("source-read", link_within_the_site)


def link_within_the_site(app, docname, source):
    """Pages that are read in the repository too link to its documents, which are pages here."""
    if "/" not in docname and (HERE / f"{docname}.md").exists():
        source[0] = made_pages.linked(source[0], ROOT, HERE)
