"""Entries of this package, read from its source: none of its modules is imported for them."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ganprior.registry.entries import Entry, register

PACKAGE = Path(__file__).parents[1]
FOLDERS = (
    "solvers",
    "baselines",
    "physics",
    "priors/architectures",
    "training/objectives",
)


@cache
def shipped() -> tuple[Entry, ...]:
    """Entries of the folders, in the order of their files."""
    files = [path for folder in FOLDERS for path in sorted((PACKAGE / folder).glob("*.py"))]
    return tuple(entry for path in files for entry in read_entries(path))


def read_entries(path: Path) -> Iterator[Entry]:
    """Entries of one file of the package.

    Raises
    ------
    TypeError
        If a decorator needs more of the file than its imports.
    """
    text = path.read_text(encoding="utf-8")
    if f"@{register.__name__}(" not in text:
        return
    parts = path.with_suffix("").parts
    module = ".".join(parts[len(parts) - parts[::-1].index(PACKAGE.name) - 1 :])
    tree = ast.parse(text)
    imports = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            # From the innermost to the outermost, as they take effect.
            for decorator in reversed(node.decorator_list):
                if ast.unparse(decorator).startswith(f"{register.__name__}("):
                    yield _evaluated(decorator, imports, path).entry(module, node.name)


def _evaluated(decorator: ast.expr, imports: dict[str, tuple[str, str]], path: Path) -> register:
    """Evaluate one decorator with the names that its file imports, and nothing else of the file."""
    names = {node.id for node in ast.walk(decorator) if isinstance(node, ast.Name)}
    if strange := names - set(imports):
        raise TypeError(
            f"{path}: a decorator names {', '.join(sorted(strange))}; it takes literals, options "
            "of ganprior.registry, and what the file imports by name"
        )
    found = {
        name: getattr(importlib.import_module(module), original)
        for name, (module, original) in imports.items()
        if name in names
    }
    code = compile(ast.Expression(decorator), str(path), "eval")
    registration = eval(code, {"__builtins__": {}}, found)
    assert isinstance(registration, register)
    return registration
