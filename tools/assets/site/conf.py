"""Sphinx's settings for the site; ``python -m tools site`` lays out the sources and runs it."""

from __future__ import annotations

import os
from typing import Any

from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from tools.links import repository
from tools.pages import formula

project = "VGG, taught step by step"
author = "the authors of vgg-lesson"
copyright = "text and figures: CC BY 4.0; code: MIT"
language = "en"
extensions = ["myst_nb"]
exclude_patterns = ["images"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"
nb_output_stderr = "remove"
nb_ipywidgets_js: dict[str, Any] = {}  # the stored outputs hold no views; nothing is loaded from elsewhere
nb_number_source_lines = False
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = [os.path.join(os.path.dirname(__file__), "static")]
html_css_files = ["lesson.css"]
html_js_files = ["keyboard.js"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses when they lie on a disk
html_theme_options = {
    "repository_url": f"https://github.com/{repository()}",
    "repository_branch": "main",
    "path_to_docs": "notebooks",
    "use_repository_button": True,
    "use_issues_button": True,
    "use_download_button": False,
    "show_toc_level": 2,
    "show_navbar_depth": 1,
    "launch_buttons": {
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
        "notebook_interface": "jupyterlab",
        **({"jupyterhub_url": os.environ["VGG_LESSON_HUB"]} if os.environ.get("VGG_LESSON_HUB") else {}),
    },
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def inline_math(self: HTML5Translator, node: Any) -> None:
    """A formula in a line, as MathML."""
    self.body.append(formula(node.astext()))


def block_math(self: HTML5Translator, node: Any) -> None:
    """A formula of its own, as MathML that the keyboard can scroll."""
    self.body.append(f'<div class="wide">{formula(node.astext(), "block")}</div>')


def nothing(self: HTML5Translator, node: Any) -> None:
    """After a formula: its text has been written."""


def _skipping(visit: Any) -> tuple[Any, Any]:
    """The renderer's two halves; what is inside a formula is not written once more."""

    def written(self: HTML5Translator, node: Any) -> None:
        visit(self, node)
        node.children = []

    return written, nothing


def open_working_copies(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Binder has a copy of the notebooks without outputs; its button leads there, where no result spoils a guess."""
    for group in context.get("header_buttons", ()):
        for button in group.get("buttons", ()):
            if "mybinder.org" in str(button.get("url")):
                button["url"] = button["url"].replace("notebooks/", "my-lesson/", 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", _skipping(inline_math), _skipping(block_math))
    app.connect("html-page-context", open_working_copies, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
