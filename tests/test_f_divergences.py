"""The table of f-divergences against its definitions: suprema, and divergences of Gaussians."""

import math
from collections.abc import Callable
from statistics import NormalDist

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from ganprior.training.objectives import DIVERGENCES, FGAN, Divergence
from ganprior.training.objectives.f_divergences import GAN, JEFFREYS, JENSEN_SHANNON, PEARSON
from ganprior.training.objectives.f_gan import variational_bound
from ganprior.training.objectives.lambert_w import log_lambert_w_of_exp
from tests.cases import rng

ROWS = pytest.mark.parametrize("row", DIVERGENCES.values(), ids=list(DIVERGENCES))

# Real images of mean .3 and generated ones of mean -.4, as numbers on a line.
P, Q = (0.3, 0.9), (-0.4, 1.1)
# Wide enough for p^2 / q, the slowest integrand to fall off; the trapezoid rule is then exact.
LINE = torch.linspace(-16, 16, 20001, dtype=torch.float64)


def density(mean: float, std: float) -> Tensor:
    return torch.exp(-(((LINE - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


def integral(values: Tensor) -> float:
    return torch.trapezoid(values, LINE).item()


def slope(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    at = at.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(function(at).sum(), at)
    return gradient


def supremum(row: Divergence, t: Tensor, smallest: float = 1e-4, largest: float = 1e5) -> Tensor:
    """sup_u {u t - f(u)} over a fine logarithmic grid of u."""
    ends = math.log10(smallest), math.log10(largest)
    u = torch.logspace(*ends, 40001, dtype=torch.float64)
    u = torch.cat([u, torch.ones(1, dtype=torch.float64)])  # the kink of total variation
    return torch.stack([(u * one - row.f(u)).max() for one in t])


def inside(row: Divergence) -> Tensor:
    """Points of the domain whose best u lies on the grid of ``supremum``."""
    low, high = max(row.domain[0], -4.0), min(row.domain[1], 4.0)
    if row is PEARSON:
        low = -2.0  # below, f on the whole line has another supremum: see its own test
    return torch.linspace(low + 0.01, high - 0.01, 41, dtype=torch.float64)


def test_the_rows_of_the_issue_are_there():
    assert list(DIVERGENCES) == [
        "kl",
        "reverse-kl",
        "jeffreys",
        "pearson",
        "squared-hellinger",
        "bhattacharyya",
        "total-variation",
        "jensen-shannon",
        "gan",
    ]


@ROWS
def test_conjugates_are_suprema(row):
    t = inside(row)
    torch.testing.assert_close(row.conjugate(t), supremum(row, t), rtol=1e-6, atol=1e-6)


@ROWS
def test_the_supremum_is_infinite_above_the_domain_alone(row):
    high = row.domain[1]
    if not math.isfinite(high):
        assert torch.isfinite(row.conjugate(torch.tensor([-30.0, 30.0], dtype=torch.float64))).all()
        return
    above = torch.tensor([high + 0.05], dtype=torch.float64)
    # It grows with the largest u without end.
    assert supremum(row, above, largest=1e8) > 1e6
    below = torch.tensor([high - 0.05], dtype=torch.float64)
    settled = supremum(row, below)
    torch.testing.assert_close(supremum(row, below, largest=1e8), settled, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "end"), [("pearson", -2.0), ("total-variation", -0.5)])
def test_conjugates_of_the_whole_line_lie_above_where_u_would_be_negative(name, end):
    row = DIVERGENCES[name]
    t = torch.linspace(end - 3, end, 13, dtype=torch.float64)
    # sup over u > 0 is -f(0) there; anything above it leaves the bound a bound.
    torch.testing.assert_close(supremum(row, t, smallest=1e-9), -row.f(0 * t), atol=1e-6, rtol=0)
    if name == "pearson":
        assert (row.conjugate(t) >= -row.f(0 * t) - 1e-12).all()


@ROWS
def test_activations_rise_inside_the_domain(row):
    v = torch.linspace(-12, 12, 201, dtype=torch.float64)
    t = row.activation(v)
    assert (t > row.domain[0]).all()
    assert (t < row.domain[1]).all()
    assert (t.diff() > 0).all()


@ROWS
def test_activations_reach_the_whole_domain(row):
    t = row.activation(torch.tensor([-40.0, 40.0], dtype=torch.float64))
    low, high = (value.item() for value in t)
    assert low < -10 if row.domain[0] == -math.inf else low == pytest.approx(row.domain[0])
    assert high > 10 if row.domain[1] == math.inf else high == pytest.approx(row.domain[1])


@ROWS
def test_the_simplified_composition_is_the_composition(row):
    v = torch.linspace(-9, 9, 101, dtype=torch.float64)
    composed = row.conjugate(row.activation(v))
    torch.testing.assert_close(row.conjugate_of_activation(v), composed, rtol=1e-9, atol=1e-9)


@ROWS
def test_sure_discriminators_give_finite_losses_in_single_precision(row):
    v = torch.tensor([-60.0, -20.0, 0.0, 20.0, 60.0], requires_grad=True)
    loss = -variational_bound(row, v, v)
    (gradient,) = torch.autograd.grad(loss, v)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


@ROWS
def test_the_best_output_of_a_logit_row_is_the_log_ratio(row):
    v = torch.linspace(-4, 4, 81, dtype=torch.float64)
    is_log_ratio = torch.allclose(slope(row.f, v.exp()), row.activation(v), atol=1e-9)
    assert row.logit == is_log_ratio
    assert FGAN(divergence=row).discriminator_output == ("probability" if row.logit else "critic")


def kl(a: tuple[float, float], b: tuple[float, float]) -> float:
    (m, s), (n, t) = a, b
    return math.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5


def bhattacharyya_coefficient() -> float:
    (m, s), (n, t) = P, Q
    both = s**2 + t**2
    return math.sqrt(2 * s * t / both) * math.exp(-((m - n) ** 2) / (4 * both))


def pearson() -> float:
    """int p^2 / q - 1, finite because 2 t^2 > s^2."""
    (m, s), (n, t) = P, Q
    rest = 2 * t**2 - s**2
    return t**2 / (s * math.sqrt(rest)) * math.exp((m - n) ** 2 / rest) - 1


def jensen_shannon() -> float:
    """The usual one, by scipy's adaptive quadrature."""
    from scipy.integrate import quad

    def integrand(x: float) -> float:
        p, q = NormalDist(*P).pdf(x), NormalDist(*Q).pdf(x)
        middle = (p + q) / 2
        return (p * math.log(p / middle) + q * math.log(q / middle)) / 2

    return quad(integrand, -12, 12, epsabs=1e-12)[0]


def total_variation() -> float:
    """By the distribution functions between the two points where the densities cross."""
    (m, s), (n, t) = P, Q
    square, half = 1 / t**2 - 1 / s**2, m / s**2 - n / t**2
    constant = n**2 / t**2 - m**2 / s**2 + 2 * math.log(t / s)
    root = math.sqrt(half**2 - square * constant)
    a, b = (-half - root) / square, (-half + root) / square
    of_p, of_q = (NormalDist(*law).cdf(b) - NormalDist(*law).cdf(a) for law in (P, Q))
    return abs(of_p - of_q)


CLOSED_FORMS: dict[str, Callable[[], float]] = {
    "kl": lambda: kl(P, Q),
    "reverse-kl": lambda: kl(Q, P),
    "jeffreys": lambda: kl(P, Q) + kl(Q, P),
    "pearson": pearson,
    "squared-hellinger": lambda: 2 - 2 * bhattacharyya_coefficient(),
    "bhattacharyya": lambda: -bhattacharyya_coefficient(),
    "total-variation": total_variation,
    "jensen-shannon": lambda: 2 * jensen_shannon(),
    "gan": lambda: 2 * jensen_shannon() - math.log(4),
}


@ROWS
def test_the_bound_is_the_divergence_at_the_best_discriminator(row):
    p, q = density(*P), density(*Q)
    best = slope(row.f, p / q)
    bound = integral(p * best) - integral(q * row.conjugate(best))
    # The densities of total variation cross between two points of the line.
    accuracy = 1e-6 if row.name == "total-variation" else 1e-9
    assert bound == pytest.approx(CLOSED_FORMS[row.name](), abs=accuracy)


@ROWS
def test_any_other_discriminator_stays_below_the_divergence(row):
    p, q = density(*P), density(*Q)
    divergence = CLOSED_FORMS[row.name]()
    for slant, offset in [(0.0, 0.0), (0.5, 0.1), (-0.7, 0.0), (1.5, -0.6)]:
        v = slant * LINE + offset
        bound = integral(p * row.activation(v)) - integral(q * row.conjugate_of_activation(v))
        assert bound <= divergence + 1e-9


@pytest.mark.parametrize(
    "row", [row for row in DIVERGENCES.values() if row.logit], ids=lambda row: row.name
)
def test_fgan_estimates_the_divergence_from_samples(row):
    levels = (torch.arange(20000, dtype=torch.float64) + 0.5) / 20000
    real, fake = (mean + std * torch.special.ndtri(levels) for mean, std in (P, Q))

    def log_ratio(x: Tensor) -> Tensor:
        return Normal(*P).log_prob(x) - Normal(*Q).log_prob(x)

    estimate = FGAN(divergence=row).distance(log_ratio(real), log_ratio(fake))
    assert estimate.item() == pytest.approx(CLOSED_FORMS[row.name](), abs=2e-3)


def test_gan_and_jensen_shannon_are_one_game():
    v, w = torch.randn(2, 40, generator=rng(0), dtype=torch.float64)
    difference = variational_bound(JENSEN_SHANNON, v, w) - variational_bound(GAN, v, w)
    assert difference.item() == pytest.approx(math.log(4))


def lambert_w_of_exp(x: Tensor) -> Tensor:
    return log_lambert_w_of_exp(x).exp()


def test_lambert_w_is_scipys():
    from scipy.special import lambertw, wrightomega

    x = torch.cat([torch.linspace(-600, 60, 20001), torch.logspace(0, 30, 301)]).double()
    expected = torch.from_numpy(wrightomega(x.numpy()))
    torch.testing.assert_close(lambert_w_of_exp(x), expected, rtol=1e-13, atol=0)
    x = torch.linspace(-5, 5, 31, dtype=torch.float64)
    expected = torch.from_numpy(lambertw(x.exp().numpy()).real)
    torch.testing.assert_close(lambert_w_of_exp(x), expected, rtol=1e-13, atol=0)
    single = lambert_w_of_exp(x.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), expected, rtol=1e-6, atol=0)


def test_the_jeffreys_conjugate_has_its_gradient():
    t = torch.linspace(-6, 6, 25, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambert_w_of_exp, t)
    assert torch.autograd.gradcheck(JEFFREYS.conjugate, t)
    assert torch.autograd.gradgradcheck(JEFFREYS.conjugate, t)
    # f*' is the best u, 1 / W.
    (gradient,) = torch.autograd.grad(JEFFREYS.conjugate(t).sum(), t)
    torch.testing.assert_close(gradient, 1 / lambert_w_of_exp(1 - t).detach())


def test_the_gradient_of_lambert_w_does_not_pass_through_the_iterations():
    x = torch.tensor([0.5], requires_grad=True)
    v = log_lambert_w_of_exp(x)
    ((before, _),) = v.grad_fn.next_functions
    assert before.name().endswith("AccumulateGrad")
