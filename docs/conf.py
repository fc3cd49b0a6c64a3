"""How Sphinx builds the documentation; `scripts/docs` calls it.

Why Sphinx stands in CONTRIBUTING.md. Nothing here asks the network: no intersphinx, no fonts of the web, no
script from elsewhere.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
)  # the notebook

import docstrings  # noqa: E402 - after the path is set
import made  # noqa: E402
import pictures  # noqa: E402

import fastgrad  # noqa: E402
from fastgrad.explanations.pages import write_pages  # noqa: E402

project = "fastgrad"
author = "The fastgrad maintainers"
copyright = author
version = release = fastgrad.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "myst_nb"]
exclude_patterns = ["_build"]
default_role = "code"  # single backticks in docstrings, as Markdown has them

myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 60
nb_merge_streams = True

autodoc_mock_imports = [name for name in ("jax", "torch") if find_spec(name) is None]
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types, with shapes
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types in docstrings are words, and there is no intersphinx to ask

html_theme = "furo"
html_title = f"fastgrad {version}"
html_static_path = ["_static"]
html_extra_path = ["_made/site"]  # as it is, beside the pages
html_css_files = ["fastgrad.css"]
html_js_files = ["scrolling.js"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"source_edit_link": "", "top_of_page_buttons": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

write_pages(HERE / "codes")
made.write_helps(HERE / "_made")
made.write_outputs(HERE / "_made")
made.copy_notebook(HERE / "_made")
made.write_page(HERE / "_made" / "site")
pictures.draw_all(HERE / "_made")


def setup(app: Any) -> None:
    """Let docstrings be read as they are meant, before napoleon reads them (its priority is 500)."""
    app.connect("autodoc-process-docstring", docstrings.process, priority=400)
    app.connect("autodoc-process-signature", docstrings.signature)
    app.connect("html-page-context", name_levels, priority=900)  # furo puts its tree there at 500


def name_levels(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Give the captions of the tree of pages their level; Sphinx calls them headings and says no level."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')
