"""README and the pages of the documentation do what they say: links, tables, commands, Python."""

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import ganprior
from experiments import tables
from ganprior.cli.main import COMMANDS, cli
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.solver_specs import SolverSpec
from ganprior.cli.sweep_axis import Axis
from ganprior.registry import entries

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = ["pip install . && ganprior demo", 'pip install ".[test]" && pytest']
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / "docs/methods").glob("*.md")])
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
DOCUMENTS = [
    "README.md",
    "experiments/README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "data/PROVENANCE.md",
    *(page.relative_to(ROOT).as_posix() for page in PAGES),
]


def blocks(path: Path) -> list[tuple[str, str]]:
    """Language and text of every fenced block; the commands that make pictures are shell, too."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^```\{command-picture\}.*$", "```sh", text, flags=re.MULTILINE)
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


BLOCKS = [block for path in (ROOT / "README.md", *PAGES) for block in blocks(path)]


def commands() -> list[list[str]]:
    """Every ``ganprior ...`` line of the shell blocks but the set-up, split into words."""
    text = "".join(body for language, body in BLOCKS if language == "sh")
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("ganprior ")]


def test_the_two_set_up_lines_come_first():
    like = [line for line in README.splitlines() if re.search(r"pip3? install|ganprior demo", line)]
    assert like[:2] == SET_UP
    [block] = [body for _, body in blocks(ROOT / "README.md") if SET_UP[0] in body]
    assert block.splitlines() == SET_UP
    assert README.index(SET_UP[0]) < len(README) / 4


def test_readme_is_short():
    assert len(README.splitlines()) <= 120


@pytest.mark.parametrize("document", DOCUMENTS)
def test_relative_links_lead_somewhere(document):
    path = ROOT / document
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    relative = [link for link in links if "://" not in link]
    missing = [link for link in relative if not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("name", entries("solver"))
def test_every_solver_has_a_page(name):
    """With an equation, a picture, and when it fails."""
    page = (ROOT / "docs" / "methods" / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# `{name}`: ")
    works, _, fails = page.partition("\n## When it fails\n")
    assert re.search(r"^\$\$", works, re.MULTILINE)
    assert "```{command-picture}" in works or "![" in works
    assert len(fails.split()) > 5
    assert f"\n{name}\n" in (ROOT / "docs" / "methods" / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_shows_a_picture(example):
    text = example.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert "plt.show()" in text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_table_begins_with_a_header(document):
    """Rows without one, as after an empty line within a table, are shown as text."""
    text = (ROOT / document).read_text(encoding="utf-8")
    tables_of = [block for block in re.split(r"\n(?!\|)", text) if block.count("\n|")]
    found = [re.findall(r"^\|.*$", block, re.MULTILINE) for block in tables_of]
    assert [rows[0] for rows in found if len(rows) < 2 or not re.match(r"[|\s:-]+$", rows[1])] == []


@pytest.mark.parametrize("readme", tables.READMES, ids=lambda readme: readme.stem)
def test_tables_are_those_of_the_csv_files(readme):
    assert tables.stale(readme) == [], "run python -m experiments.tables --write"


@pytest.mark.parametrize("readme", tables.READMES, ids=lambda readme: readme.stem)
def test_every_marker_belongs_to_a_table(readme):
    text = readme.read_text(encoding="utf-8")
    found = len(list(tables.TABLE.finditer(text)))
    assert text.count("<!-- table:") == text.count("<!-- end -->") == found
    assert found or "docs" in readme.parts


def test_python_runs_as_it_stands():
    namespace: dict[str, Any] = {}
    for language, body in blocks(ROOT / "README.md"):
        if language == "python":
            exec(compile(body, "README.md", "exec"), namespace)
    x, x_hat = namespace["x"], namespace["x_hat"]
    assert x_hat.shape == x.shape
    solution = namespace["solution"]
    assert isinstance(solution, ganprior.Solution)
    assert ganprior.per_pixel_error(solution.x, x).mean() < 0.05


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_of_a_page_runs(page):
    """All blocks of a page in order, as a reader types them."""
    namespace: dict[str, Any] = {}
    for language, body in blocks(page):
        if language == "python":
            exec(compile(body, page.name, "exec"), namespace)
    if "x_hat" in namespace:
        assert namespace["x_hat"].isfinite().all()


def test_every_command_is_shown():
    shown = {words[0] for words in commands()}
    assert shown | {"demo"} == set(COMMANDS)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_commands_parse(words):
    """Every option is one of the command's, and its value is of the right kind."""
    with cli.make_context("ganprior", [], resilient_parsing=True) as context:
        command = cli.get_command(context, words[0])
        assert command is not None
        command.make_context(words[0], words[1:], parent=context)


@pytest.mark.parametrize(("option", "spec"), [("--measure", MeasureSpec), ("--solver", SolverSpec)])
def test_specs_parse(option, spec):
    """Those in the first column of the option's table, and those of the examples."""
    text = "\n\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    table = text[text.index(f"| `{option}` |") :].partition("\n\n")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)[1:]
    listed = re.findall(r"`([^`]+)`", " ".join(cells))
    # Those of a sweep are whole with what it varies alone.
    whole = [words for words in commands() if words[0] != "sweep"]
    used = [w[i + 1] for w in whole for i, word in enumerate(w) if word == option]
    assert len(listed) > 3
    assert used
    for text in [*listed, *used]:
        spec.parse(text)


@pytest.mark.parametrize("words", [w for w in commands() if w[0] == "sweep"], ids=" ".join)
def test_axes_parse(words):
    given = {
        option: [words[i + 1] for i, word in enumerate(words) if word == option]
        for option in ("--over", "--measure", "--solver")
    }
    [over], [measure] = given["--over"], given["--measure"]
    assert len(Axis.parse(over, measure, tuple(given["--solver"])).values) > 1


def test_the_store_and_start_again_example_runs(tmp_path, monkeypatch):
    """``measure`` and ``reconstruct --measurements``, on two images and with little effort."""
    store, again = [w for w in commands() if w[0] == "measure" or "--measurements" in w][:2]
    store[store.index("data/fashion_mnist_test_100.npz")] = os.fspath(
        ROOT / "data/fashion_mnist_test_100.npz"
    )
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    done = runner.invoke(cli, [*store, "--limit", "2"])
    assert done.exit_code == 0, done.output
    quick = ["--solver", "csgm:effort=fast,restarts=1,steps=5"]
    done = runner.invoke(cli, [*again, *quick])
    assert done.exit_code == 0, done.output
    written = {path.name for path in (tmp_path / "results").iterdir()}
    assert written == {"summary.json", "reconstructions.npz", "figure.png", "images"}


class TestTables:
    def test_columns_and_order(self, tmp_path):
        (tmp_path / "a.csv").write_text("m,error,hash\n25,0.10,x\n100,0.0130,y\n")
        text = "before\n<!-- table: a.csv columns: error, m -->\nold\n<!-- end -->\nafter\n"
        filled = tables.fill(text, tmp_path)
        assert filled == (
            "before\n<!-- table: a.csv columns: error, m -->\n| error | m |\n| --- | --- |\n"
            "| 0.10 | 25 |\n| 0.0130 | 100 |\n<!-- end -->\nafter\n"
        )
        assert tables.fill(filled, tmp_path) == filled

    def test_a_bar_stays_inside_its_cell(self, tmp_path):
        (tmp_path / "a.csv").write_text("m,error\n25,|x|\n")
        rendered = tables.render(tmp_path / "a.csv")
        assert rendered.splitlines()[-1] == r"| 25 | \|x\| |"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("<!-- table: absent.csv -->\n<!-- end -->\n", "no file"),
            ("<!-- table: a.csv columns: k -->\n<!-- end -->\n", "has no column 'k'"),
        ],
    )
    def test_what_is_not_there_is_named(self, tmp_path, text, message):
        (tmp_path / "a.csv").write_text("m\n25\n")
        with pytest.raises(ValueError, match=message):
            tables.fill(text, tmp_path)
