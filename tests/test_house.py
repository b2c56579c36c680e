"""Rules of the house that no linter knows. Each test lists all who break its rule."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = ("ganprior", "tests", "experiments", "data")
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
LARGEST_FILE = 6_000_000


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sources(*folders: str) -> list[Path]:
    """Python files under the folders, by walking them: git need not be there."""
    found = [path for folder in folders or PYTHON for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "__pycache__" not in path.parts)


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef))


def imported(path: Path) -> set[str]:
    """Every module that an import statement names, at the head of the file or in a function."""
    modules = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return modules


def calls(path: Path) -> Iterator[tuple[str, dict[str | None, str]]]:
    """Every call by name: what is called, dotted, and its keyword arguments."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            yield ast.unparse(node.func), given


def length(function: ast.FunctionDef) -> int:
    """Lines of a function less its docstring: one that says everything is no long function."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    docstring = ast.get_docstring(function, clean=False)
    return lines - (docstring.count("\n") + 1 if docstring else 0)


def test_the_sources_are_found():
    assert {Path(__file__), ROOT / "ganprior/__init__.py"} <= set(sources())


def test_files_are_short():
    lengths = {short(p): len(p.read_text("utf-8").splitlines()) for p in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_are_short():
    lengths = {f"{short(p)}: {f.name}": length(f) for p in sources() for f in functions(p)}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_no_file_is_a_drawer_of_leftovers():
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert [short(path) for path in sources() if path.stem in drawers] == []


def test_every_package_folder_has_an_init():
    folders = {path.parent for path in sources("ganprior")}
    assert [short(f) for f in folders if not (f / "__init__.py").is_file()] == []


def test_nothing_is_unpickled():
    picklers = {"pickle", "dill", "cloudpickle", "joblib"}
    # Its own unpickler knows builders of tensors and containers, and calls nothing else.
    safe = "ganprior/priors/unpickle.py"
    assert [short(path) for path in sources("ganprior") if picklers & imported(path)] == [safe]
    offers = {
        "torch.load": lambda given: given.get("weights_only") != "True",
        "np.load": lambda given: given.get("allow_pickle", "False") != "False",
    }
    unsafe = [
        short(path)
        for path in sources()
        for name, given in calls(path)
        if name in offers and offers[name](given)
    ]
    # The others are of files that the tests themselves have just written.
    own = ["tests/test_priors_pickles.py", "tests/test_solvers_and_baselines.py"]
    assert unsafe == [safe, *own]


def test_pictures_are_opened_in_one_place():
    """By a list of formats: Pillow starts a program for others, and raises what it likes."""
    folders = ("ganprior", "experiments", "data")
    openers = [short(p) for p in sources(*folders) if "Image.open" in {n for n, _ in calls(p)}]
    assert openers == ["ganprior/image_files.py"]


def test_nothing_seeds_globally():
    seeds = {"torch.manual_seed", "torch.cuda.manual_seed_all", "np.random.seed", "random.seed"}
    seeding = [short(p) for p in sources() if seeds & {name for name, _ in calls(p)}]
    # Nothing but the tests, each of them before it begins.
    assert seeding == ["tests/conftest.py"]


def test_only_physics_imports_deepinv():
    importers = {
        path.relative_to(ROOT / "ganprior").parts[0]
        for path in sources("ganprior")
        if "deepinv" in {module.partition(".")[0] for module in imported(path)}
    }
    assert importers == {"physics"}


def test_import_linter_knows_every_module():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers, no_deepinv, *_ = project["tool"]["importlinter"]["contracts"]
    inside = {path.stem for path in (ROOT / "ganprior").iterdir() if path.suffix == ".py"}
    inside |= {path.parent.name for path in (ROOT / "ganprior").glob("*/__init__.py")}
    modules = {f"ganprior.{name}" for name in inside - {"__init__"}}
    assert {name for layer in layers["layers"] for name in re.split(r" [|:] ", layer)} == modules
    assert {*no_deepinv["source_modules"], "ganprior.physics"} == modules


def files_imported(path: Path, modules: dict[str, Path]) -> set[str]:
    """Modules of the package that a file imports, anywhere in it and for type checking too."""
    found = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & modules.keys()
            found |= inner or {node.module}
    return found & modules.keys()


def test_no_circle_between_files():
    """A file comes after all that it imports: the order exists, or the error names a circle."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sources("ganprior")
    }
    graph = {name: files_imported(path, modules) - {name} for name, path in modules.items()}
    assert len(graph) > 100
    assert list(TopologicalSorter(graph).static_order())


def test_nothing_imports_the_experiments():
    def outer(path: Path) -> bool:
        return bool(
            {module.partition(".")[0] for module in imported(path)} & {"experiments", "tests"}
        )

    assert [short(path) for path in sources("ganprior") if outer(path)] == []


def test_experiments_import_public_modules_alone():
    """``ganprior`` and what stands directly in it; nothing deeper, nothing with an underscore."""
    deep = [
        f"{short(path)}: {module}"
        for path in sources("experiments")
        for module in imported(path)
        if module.startswith("ganprior.") and (module.count(".") > 1 or "._" in module)
    ]
    assert deep == []


def test_the_version_stands_in_one_place():
    assigned = [p for p in sources() if re.search(r"^__version__ =", p.read_text("utf-8"), re.M)]
    assert [short(path) for path in assigned] == ["ganprior/__init__.py"]
    [version] = re.findall(r'^__version__ = "(.+)"$', assigned[0].read_text("utf-8"), re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["dynamic"] == ["version"]
    assert not re.search(r"^version:", (ROOT / "CITATION.cff").read_text("utf-8"), re.M)
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_file_is_large():
    folders = ("ganprior", "tests", "experiments", "docs")
    kept = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert [short(path) for path in kept if path.stat().st_size > LARGEST_FILE] == []
