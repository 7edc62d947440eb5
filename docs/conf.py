"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

from importlib.metadata import version as version_of

from backburner import configure

project = "backburner"
author = "The backburner authors"
project_copyright = "The backburner authors, MIT licence"
release = version = version_of("backburner")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["README.md"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3  # links may point at a heading: errors.md#unknownjob

default_role = "code"  # docstrings write `code` between single backticks
autodoc_typehints = "none"  # short signatures: what the types say stands in the text
autodoc_member_order = "bysource"
autodoc_default_options = {"exclude-members": "__init__, __new__"}

configure("memory://")  # autodoc looks at `.delay`, which asks for the current app

html_theme = "furo"
html_title = f"backburner {release}"
html_copy_source = False
html_show_sphinx = False
