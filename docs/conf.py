"""Sphinx configuration: ``pip install ".[docs]" && python -m sphinx -W docs build/docs``."""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "extensions")]

import ganprior  # noqa: E402
from experiments.pages import write_pages  # noqa: E402

os.environ.setdefault("MPLBACKEND", "Agg")
# deepinv compiles a function when it is imported, and torch says that this is deprecated.
warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.")

project = "ganprior"
author = "The ganprior developers"
project_copyright = author
version = release = ganprior.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
    "command_picture",
    "mathml",
]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
templates_path = ["_templates"]
exclude_patterns = ["_templates", "extensions", "examples/*.py", "examples/*.ipynb"]

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# Every reference of ours resolves. Those of other projects would need the network.
nitpicky = True
nitpick_ignore_regex = [
    (
        r"py:.*",
        r"(abc|enum|torch|np|numpy|nn|click|deepinv|sklearn|collections|pathlib|pickle)\b.*",
    ),
    (r"py:.*", r"(Tensor|Path|Any|Callable|Iterator|Mapping|Sequence|Module|TOML|optional)"),
]

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": "plot_",
    "download_all_examples": False,
    "show_memory": False,
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
}


# numpydoc has put two stars before and behind the name of an argument.
FORMULA = re.compile(r"(?<!\\)\||(?<!\*)\*(?=(?:latent|shape|size))")


def keep_formulas(_: Any, what: str, __: str, ___: Any, ____: Any, lines: list[str]) -> None:
    """Keep bars and stars of formulas, ``||z||`` and ``(B, *latent shape)``, as they are.

    Likewise the lines of formulas that a module's docstring indents. The docstrings are read in
    editors first of all, where marks of the page's language would be in the way.
    """
    kept, inside = [], False
    for before, line in zip(["", *lines], lines, strict=False):
        if what == "module" and line.startswith("    "):
            if not inside and not before.strip():
                kept += ["::", ""]
                inside = True
        elif line.strip():
            inside = False
        parts = line.split("``")
        if not inside:
            parts[::2] = [FORMULA.sub(r"\\\g<0>", part) for part in parts[::2]]
        kept.append("``".join(parts))
    lines[:] = kept


def setup(app: Any) -> None:
    """Register the above, and write the pages of all figures."""
    write_pages(ROOT / "docs" / "all_figures")
    app.connect("autodoc-process-docstring", keep_formulas)


# Blocks without a word about their language are formulas.
highlight_language = "none"
html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "ganprior"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "icon_links": [],
    "show_prev_next": False,
}
html_copy_source = False
