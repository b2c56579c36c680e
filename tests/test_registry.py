"""The registry: what is read from the source is what is imported, and every name has its place."""

import importlib
import subprocess
import sys

import pytest
import torch

import ganprior
from experiments import registered
from ganprior.registry import (
    Choice,
    Count,
    Flag,
    Kind,
    Number,
    Option,
    Spec,
    Text,
    entries,
    parse_spec,
    register,
)
from ganprior.registry.entries import Entry, imported
from ganprior.registry.source import read_entries, shipped
from ganprior.solution import Reconstructor
from tests import cases_physics, cases_solvers
from tests.cases_density import dense_dcgan

KINDS: tuple[Kind, ...] = ("solver", "physics", "mask", "architecture", "objective")
EVERY = [entry for kind in KINDS for entry in entries(kind).values()]
OPTIONS = {(e.kind, e.name, o.name): o for e in EVERY for o in e.options}
SHAPE = (1, 28, 28)


def test_the_source_says_what_is_imported():
    for entry in shipped():
        entry.load()
    ours = [e for e in imported() if e.module.startswith("ganprior.")]
    assert {(e.kind, e.name, e.variant): e for e in ours} == {
        (e.kind, e.name, e.variant): e for e in shipped()
    }


def test_no_name_is_given_twice():
    names = [(entry.kind, entry.name, entry.variant) for entry in shipped()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("entry", entries("solver").values(), ids=lambda entry: entry.name)
def test_every_solver_has_a_case(entry):
    """Each of them also runs in ``deepinv.test``: see tests/test_deepinv.py."""
    case = cases_solvers.CASES[entry.name].solver()
    assert isinstance(case, entry.load())


@pytest.mark.parametrize("entry", entries("physics").values(), ids=lambda entry: entry.name)
def test_every_physics_has_a_case(entry):
    assert [name for name in cases_physics.CASES if name.partition(" ")[0].strip(",") == entry.name]


def test_every_name_has_a_row_in_the_documentation():
    root = registered.ROOT / "docs"
    pages: dict[Kind, str] = {"solver": "which_solver.md", "physics": "instrument.md"}
    for kind, page in pages.items():
        text = (root / page).read_text(encoding="utf-8")
        for name, entry in entries(kind).items():
            assert f"| `{name}" in text, f"{name} of {entry.module}: experiments.tables --write"


@pytest.mark.parametrize("option", OPTIONS.values(), ids=[":".join(k) for k in OPTIONS])
def test_an_example_is_one(option):
    assert option.convert(str(option.example)) == option.read({option.name: str(option.example)})
    assert option.help
    assert "\n" not in option.help


def wrong(option: Option) -> list[str]:
    """Texts that are none of the option's values."""
    match option:
        case Count():
            return [str(option.minimum - 1), "1.5", "many", "", str(2**31)]
        case Number():
            bounds = [str(b) for b in (option.above, option.below) if b is not None]
            below = [] if option.minimum is None else [str(option.minimum - 0.1)]
            return [*bounds, *below, "nan", "inf", "x", "1e19", "1e-19"]
        case Choice() | Flag():
            return ["", "TRUE", "xyz"]
        case _:
            return []


@pytest.mark.parametrize(("key", "option"), OPTIONS.items(), ids=[":".join(k) for k in OPTIONS])
def test_what_is_no_value_is_refused_in_one_line(key, option):
    for text in wrong(option):
        with pytest.raises(ValueError, match=option.name) as caught:
            option.convert(text)
        assert "\n" not in str(caught.value)


def test_ranges_end_where_they_say():
    assert Count("m", "", example=1, minimum=2).convert("2") == 2
    assert Number("x", "", example=1, minimum=0).convert("0") == 0
    assert Number("x", "", example=1, above=0).convert("1e-18") == 1e-18
    assert Flag("b", "").convert("false") is False
    assert Text("t", "", example="a").convert(" a") == " a"


def test_solvers_by_name_in_python():
    prior = dense_dcgan()
    solver = ganprior.solver("csgm:restarts=5,effort=fast", prior, noise_std=0.1)
    assert isinstance(solver, ganprior.CSGM)
    assert solver.effort == ganprior.FAST.replace(restarts=5)
    assert (solver.prior, solver.noise_std) == (prior, 0.1)
    assert type(ganprior.solver("csgm:discriminator=0.1", prior)) is ganprior.DiscriminatorCSGM
    assert isinstance(ganprior.solver("tv:weight=0.1"), ganprior.TotalVariation)
    raw = ganprior.solver("semantic-raw", prior)
    assert isinstance(raw, ganprior.SemanticInpainting)
    assert not raw.blend


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cgsm", r"^cgsm: unknown solver 'cgsm'; did you mean 'csgm'\? known: .*csgm, "),
        ("csgm:restart=5", r"did you mean 'restarts'\?"),
        ("csgm:restarts=0", "^csgm:restarts=0: restarts must be a whole number of at least 1"),
        ("csgm", "^csgm: csgm needs a prior; give prior=...$"),
        ("lmmse", "option 'law' is missing; give law=FILE, or a prior"),
        ("nearest-patch", "option 'images' is missing"),
        ("lasso-wavelet:wavelet=db99", "^lasso-wavelet:wavelet=db99: .*db99"),
    ],
)
def test_what_is_no_solver_is_refused_in_python(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        ganprior.solver(text)
    assert "\n" not in str(caught.value)


def test_physics_by_name_in_python():
    physics = ganprior.make_physics("gaussian:m=100", SHAPE, seed=3)
    again = ganprior.make_physics("gaussian:m=100", SHAPE, seed=3)
    assert isinstance(physics, ganprior.Gaussian)
    assert torch.equal(physics.matrix, again.matrix)
    other = ganprior.make_physics("gaussian:m=100", SHAPE, seed=4)
    assert not torch.equal(physics.matrix, other.matrix)
    with pytest.raises(ValueError, match=r"^gaussian:m=785: m must be .* between 1 and n=784"):
        ganprior.make_physics("gaussian:m=785", SHAPE)


class Dark(Reconstructor):
    """What another program registers."""

    def __init__(self, level: float = 0.0) -> None:
        super().__init__()
        self.level = level

    def solve(self, y, physics, *, rng=0, progress=False):
        raise NotImplementedError


def test_another_program_may_register(monkeypatch):
    home = importlib.import_module("ganprior.registry.entries")
    monkeypatch.setattr(home, "_IMPORTED", dict(home._IMPORTED))
    decorator = register("solver", "dark", "nothing", Number("level", "of gray", example=0.5))
    assert decorator(Dark) is Dark
    made = ganprior.solver("dark:level=0.25")
    assert isinstance(made, Dark)
    assert made.level == 0.25


def test_a_decorator_that_needs_the_rest_of_its_file_is_refused(tmp_path):
    folder = tmp_path / "ganprior" / "solvers"
    folder.mkdir(parents=True)
    file = folder / "new.py"
    file.write_text('NAME = "new"\n@register("solver", NAME, "")\nclass New: ...\n')
    with pytest.raises(TypeError, match=r"new.py: a decorator names NAME, register"):
        list(read_entries(file))


def test_nothing_of_the_registry_needs_torch():
    code = (
        "import sys; from ganprior.registry import entries;"
        "[entries(kind) for kind in sys.argv[1:]];"
        "print([name for name in ('torch', 'deepinv', 'numpy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, *KINDS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_specs_are_split_at_colon_comma_and_equals():
    assert parse_spec("csgm:restarts=5, lambda = 0.001") == (
        "csgm",
        {"restarts": "5", "lambda": "0.001"},
    )
    spec = Spec.read("physics", "mask:half=left")
    assert isinstance(spec.entry, Entry)
    assert spec.options == {"half": "left"}
