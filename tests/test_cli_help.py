"""Help is light, and the shell of all commands: usage errors, faults of ours, Ctrl-C."""

import os
import subprocess
import sys
from importlib import metadata

import click
import pytest

import ganprior
from ganprior.cli import main as shell
from ganprior.cli.options import with_fits
from ganprior.registry import entries
from tests.cli_cases import refuse, run, succeed

# Commands and their help, one after the other in one fresh process, then what was imported.
PROBE = """
import sys
from ganprior.cli.main import cli
for args in [["--help"], [], ["--version"], *([name, "--help"] for name in sys.argv[1:])]:
    try:
        cli.main(args, prog_name="ganprior")
    except SystemExit as end:
        assert not end.code, args
print("heavy:", *({"torch", "numpy", "deepinv", "matplotlib", "PIL", "scipy"} & set(sys.modules)))
"""


def test_help_imports_nothing_heavy():
    command = [sys.executable, "-c", PROBE, "demo", "measure", "reconstruct", "train"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy:"
    assert done.stderr == ""
    for name in shell.COMMANDS:
        assert name in done.stdout


def test_versions_of_what_results_depend_on():
    words = succeed("--version").stdout.split()
    assert words[:2] == ["ganprior", ganprior.__version__]
    for name in ("torch", "deepinv"):
        assert words[words.index(name) + 1].strip(",)") == metadata.version(name)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("ganprior reconst", "reconstruct"),
        ("ganprior reconstruct --resi", "--resize"),
        ("ganprior figure --preset pa", "paper"),
    ],
)
def test_the_shell_completes_commands_options_and_values(typed, offered):
    asked = {
        "_GANPRIOR_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    command = [sys.executable, "-c", "from ganprior.cli.main import main; main()"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **asked}
    )
    assert done.stdout.split() == [f"plain,{offered}"]


def test_every_spec_stands_in_the_help():
    text = " ".join(succeed("reconstruct", "--help").stdout.split())
    for kind in ("physics", "solver"):
        for entry in entries(kind).values():
            assert entry.name in text
            # That of the masks stands with each of them.
            assert entry.one_of or entry.summary in text
            for option in entry.options:
                assert f"{option.name}={option.example}" in text
                assert option.help in text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["recnstruct"], ["unknown command 'recnstruct'", "did you mean 'reconstruct'?"]),
        (["--verson"], ["--verson", "--version"]),
        (["reconstruct"], ["Missing option", "ganprior reconstruct --help"]),
        (["reconstruct", "--pior", "x"], ["--pior", "--prior"]),
        (["measure", "--measure", "identity", "--out", "y.npz"], ["Missing argument 'INPUT...'"]),
        (["reconstruct", "a.npz", "--prior"], ["--prior", "requires an argument"]),
        (["reconstruct", "a.npz", "--limit", "many"], ["--limit", "'many'"]),
    ],
)
def test_usage_errors_are_one_line(args, words):
    line = refuse(*args)
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["--resize", "a.png"], ["--resize=crop", "a.png"]),
        (["--resize", "pad", "a.png"], ["--resize", "pad", "a.png"]),
        (["--resize=pad", "a.png"], ["--resize=pad", "a.png"]),
        (["a.png", "--resize"], ["a.png", "--resize"]),
        (["--resize", "--convert"], ["--resize=crop", "--convert"]),
        (["--resize", "strech"], ["--resize", "strech"]),
        (["--", "--resize", "a.png"], ["--", "--resize", "a.png"]),
        (["--resize", "--", "a.png"], ["--resize=crop", "--", "a.png"]),
    ],
)
def test_resize_takes_no_input_for_its_value(given, read):
    assert with_fits(given) == read


@pytest.fixture
def failing(monkeypatch):
    """Make ``ganprior demo`` raise what the test gives it."""

    def install(error):
        def fail():
            raise error

        monkeypatch.setattr("ganprior.cli.demo.demo", click.Command("demo", callback=fail))

    return install


def test_an_error_of_the_user_is_one_line_unless_debugged(failing):
    failing(ValueError("x must be\nsmall"))
    assert refuse("demo") == "Error: x must be small"
    result = run("--debug", "demo")
    assert isinstance(result.exception, ValueError)


def test_a_fault_of_ours_is_one_line_unless_debugged(failing):
    failing(RuntimeError("broken\npipe work"))
    result = run("demo")
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert "internal error" in line
    assert "RuntimeError: broken pipe work" in line
    assert "--debug" in line
    assert isinstance(run("--debug", "demo").exception, RuntimeError)


def test_ctrl_c_is_one_line_and_status_130(failing):
    failing(KeyboardInterrupt())
    result = run("demo")
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "Error: interrupted\n"


def test_a_command_may_choose_its_exit_status(failing):
    failing(click.exceptions.Exit(130))
    assert run("demo").exit_code == 130
