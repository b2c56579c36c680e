"""Solver specs: what they build and what they refuse."""

import pytest

from ganprior import baselines
from ganprior.cli.solver_specs import SolverSpec
from ganprior.solvers import BALANCED, CSGM, EFFORTS, FAST
from ganprior.solvers.search_options import SEARCH
from tests.cases import tiny_dcgan

PRIOR = tiny_dcgan()


def build(text, **more):
    return SolverSpec.parse(text).build(PRIOR, **more)


def test_csgm_alone_has_the_defaults_of_the_library():
    solver = build("csgm", noise_std=0.1)
    assert isinstance(solver, CSGM)
    assert solver.prior is PRIOR
    assert (solver.effort, solver.latent_weight, solver.noise_std) == (BALANCED, None, 0.1)


def test_csgm_takes_its_options():
    solver = build("csgm:restarts=5,steps=500,lambda=0.001,effort=fast")
    assert solver.effort == FAST.replace(restarts=5, steps=500)
    assert solver.latent_weight == 0.001
    assert build("csgm:lambda=0").latent_weight == 0


def test_efforts_are_those_of_the_library():
    [words] = [option.words for option in SEARCH if option.name == "effort"]
    assert set(words) == set(EFFORTS)


@pytest.mark.parametrize(
    ("text", "kind", "alpha"),
    [
        ("lasso-dct", baselines.LassoDCT, None),
        ("lasso-dct:alpha=0.01", baselines.LassoDCT, 0.01),
        ("lasso-wavelet:alpha=1e-3", baselines.LassoWavelet, 1e-3),
        ("lasso-pixel", baselines.LassoPixel, None),
    ],
)
def test_lassos(text, kind, alpha):
    solver = build(text, noise_std=0.2)
    assert type(solver) is kind
    assert (solver.alpha, solver.noise_std) == (alpha, 0.2)


def test_wavelet_by_name():
    assert build("lasso-wavelet").wavelet == "db1"
    assert build("lasso-wavelet:wavelet=db4").wavelet == "db4"


def test_the_text_is_kept_as_asked():
    assert SolverSpec.parse("csgm:steps=7").text == "csgm:steps=7"
    assert SolverSpec.parse("csgm:steps=7").options == {"steps": 7}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cgsm", ["unknown solver 'cgsm'", "did you mean 'csgm'?"]),
        ("lasso-dtc", ["did you mean 'lasso-dct'?"]),
        ("csgm:restart=3", ["unknown option 'restart'", "did you mean 'restarts'?"]),
        ("csgm:alpha=3", ["unknown option 'alpha'", "lambda"]),
        ("lasso-dct:lambda=3", ["unknown option 'lambda'", "alpha"]),
        ("csgm:restarts=0", ["restarts", "at least 1", "'0'"]),
        ("csgm:steps=1.5", ["steps", "'1.5'"]),
        ("csgm:lambda=-1", ["lambda", "'-1'"]),
        ("csgm:lambda=nan", ["lambda", "'nan'"]),
        ("csgm:effort=slow", ["effort", "reference, balanced, fast"]),
        ("lasso-dct:alpha=0", ["alpha", "above 0"]),
        ("csgm:", ["key=value"]),
        ("", ["no name"]),
    ],
)
def test_what_is_no_solver_is_refused(text, words):
    with pytest.raises(ValueError, match="--solver") as caught:
        SolverSpec.parse(text)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_wavelet_is_refused_when_built():
    with pytest.raises(ValueError, match=r"--solver lasso-wavelet:wavelet=db99: .*db99"):
        build("lasso-wavelet:wavelet=db99")
