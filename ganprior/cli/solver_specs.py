"""Solvers by name: which method a ``--solver`` such as ``csgm:restarts=5`` stands for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from ganprior.cli.specs import check_name, check_options, choice, integer, number, parse_spec

if TYPE_CHECKING:
    from torch import Tensor

    from ganprior.priors import Prior
    from ganprior.solution import Reconstructor
    from ganprior.solvers import Effort

Value = str | int | float
# Told the number of steps done, and how many there are at most.
Progress = Callable[[int, int], None]

EFFORT_NAMES = ("reference", "balanced", "fast")
DEFAULT_EFFORT = "balanced"
# Arguments of solvers that have another name here.
_WORDS = {
    "latent_weight": "lambda",
    "prior_weight": "lambda",
    "discriminator_weight": "discriminator",
}


@dataclass(frozen=True)
class SolverSpec:
    """A method of reconstruction, as asked for on the command line.

    Attributes
    ----------
    name : str
        What stands before the colon.
    options : mapping
        Checked options that were given, each of the type it has in the library.
    text : str
        The spec as given.
    flag : str
        The option of the command line that it was given to, for messages.
    """

    name: str
    options: Mapping[str, Value]
    text: str
    flag: str = "--solver"

    @classmethod
    def parse(cls, text: str, flag: str = "--solver") -> Self:
        """Read a spec.

        ``csgm`` with ``restarts``, ``steps``, ``lambda``, ``effort`` (reference, balanced, fast)
        and ``discriminator``; ``semantic`` and ``semantic-raw`` (not blended) with the first four,
        ``weights``, ``loss`` and, the first, ``screening``; ``lasso-dct`` with ``alpha``, ``box``
        and ``weights``, ``lasso-pixel`` without the last; ``lasso-wavelet`` with ``wavelet``,
        ``alpha`` and ``box``; ``tv`` with ``weight``; ``lmmse`` and ``gaussian-mixture`` with
        ``law``; ``low-rank`` with ``tau``; ``nearest-patch`` with ``images``; ``biharmonic``;
        ``context-encoder`` with
        ``network``. An option that is left out has the library's default.

        Parameters
        ----------
        text : str
            The spec.
        flag : str
            The option of the command line that it was given to, for messages.

        Raises
        ------
        ValueError
            If there is no such name or option, or a value cannot be; the message names it, what
            is valid, and the nearest.
        """
        try:
            name, options = parse_spec(text)
            check_name("solver", name, _KINDS)
            check_options(options, _KINDS[name].readers)
            readers = _KINDS[name].readers
            return cls(name, {key: readers[key](options, key) for key in options}, text, flag)
        except ValueError as error:
            raise ValueError(f"{flag} {text}: {error}") from None

    def build(
        self, prior: Prior, noise_std: float = 0.0, progress: Progress | None = None
    ) -> Reconstructor:
        """Make the solver; imports torch.

        Parameters
        ----------
        prior : Prior
            Prior of the solvers that have one.
        noise_std : float
            Standard deviation of the noise of each entry of y, from which the defaults of lambda
            and alpha follow.
        progress : callable, optional
            Told the number of steps done and the number there are at most, where a solver tells.

        Raises
        ------
        ValueError
            If a value is one that the library refuses: an unknown wavelet.
        """
        try:
            return _KINDS[self.name].build(self.options, prior, noise_std, progress)
        except ValueError as error:
            raise ValueError(f"{self.flag} {self.text}: {error}") from None

    def words(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """What the solver went by in the words of the command line, fit for JSON.

        Parameters
        ----------
        settings : mapping
            As those of :class:`~ganprior.solution.Solution`.

        Returns
        -------
        dict
            Numbers, to six digits; a list where signals have one each and they differ.
        """
        found = {_WORDS.get(name, name): _plain(value) for name, value in settings.items()}
        if "effort" in _KINDS[self.name].readers:
            found["effort"] = self.options.get("effort", DEFAULT_EFFORT)
        return found

    def unblended(self) -> Self:
        """The same, ``semantic`` without its blending; other methods as they are."""
        if self.name != "semantic":
            return self
        options = {key: value for key, value in self.options.items() if key != "screening"}
        settings = ",".join(f"{key}={value}" for key, value in options.items())
        text = f"semantic-raw:{settings}" if settings else "semantic-raw"
        return replace(self, name="semantic-raw", options=options, text=text)


def _plain(value: float | Tensor) -> Value | list[Value]:
    numbers = value if isinstance(value, int | float) else value.tolist()
    if isinstance(numbers, list) and len(set(numbers)) == 1:
        numbers = numbers[0]
    if isinstance(numbers, list):
        return [_short(number) for number in numbers]
    return _short(numbers)


def _short(number: float) -> Value:
    return number if isinstance(number, int) else float(f"{number:.6g}")


Reader = Callable[[Mapping[str, str], str], Value]
Build = Callable[[Any, "Prior", float, "Progress | None"], "Reconstructor"]


@dataclass(frozen=True)
class _Kind:
    """One name: how each of its options is read, and which solver they make."""

    readers: Mapping[str, Reader]
    build: Build


def _count(options: Mapping[str, str], key: str) -> int:
    return integer(options, key, minimum=1)


def _weight(options: Mapping[str, str], key: str) -> float:
    return number(options, key, minimum=0)


def _positive(options: Mapping[str, str], key: str) -> float:
    return number(options, key, above=0)


def _effort(options: Mapping[str, str], key: str) -> str:
    return choice(options, key, EFFORT_NAMES)


def _weighting(options: Mapping[str, str], key: str) -> str:
    return choice(options, key, ("weighted", "uniform", "inverted"))


def _loss(options: Mapping[str, str], key: str) -> str:
    return choice(options, key, ("saturating", "non-saturating", "critic"))


def _flag(options: Mapping[str, str], key: str) -> bool:
    return choice(options, key, ("true", "false")) == "true"


def _frequency(options: Mapping[str, str], key: str) -> str:
    return choice(options, key, ("uniform", "frequency"))


def _word(options: Mapping[str, str], key: str) -> str:
    return options[key]


def _csgm(
    options: dict[str, Any], prior: Prior, noise_std: float, progress: Progress | None
) -> Reconstructor:
    from ganprior.solvers import CSGM, EFFORTS, DiscriminatorCSGM

    effort, tell = _schedule(options, EFFORTS, progress)
    weight = options.get("lambda")
    if gamma := options.get("discriminator"):
        return DiscriminatorCSGM(
            prior, gamma, weight, noise_std=noise_std, effort=effort, progress=tell
        )
    return CSGM(prior, weight, noise_std=noise_std, effort=effort, progress=tell)


def _semantic(*, blend: bool) -> Build:
    def build(
        options: dict[str, Any], prior: Prior, _: float, progress: Progress | None
    ) -> Reconstructor:
        from ganprior.solvers import EFFORTS_L1, SemanticInpainting

        effort, tell = _schedule(options, EFFORTS_L1, progress)
        names = {
            "lambda": "prior_weight",
            "weights": "weighting",
            "loss": "prior_loss",
            "screening": "screening",
        }
        given = {names[key]: value for key, value in options.items() if key in names}
        return SemanticInpainting(prior, blend=blend, effort=effort, progress=tell, **given)

    return build


def _schedule(
    options: dict[str, Any], efforts: Mapping[str, Effort], progress: Progress | None
) -> tuple[Effort, Callable[[int], None]]:
    """Effort by name and numbers, and what tells how far it has come."""
    effort = efforts[options.get("effort", DEFAULT_EFFORT)].replace(
        restarts=options.get("restarts"), steps=options.get("steps")
    )

    def tell(step: int) -> None:
        if progress is not None:
            progress(step, effort.most_steps)

    return effort, tell


def _with_noise(class_name: str) -> Build:
    def build(options: Any, _: Prior, noise_std: float, __: Progress | None) -> Reconstructor:
        from ganprior import baselines

        solver: Reconstructor = getattr(baselines, class_name)(noise_std=noise_std, **options)
        return solver

    return build


def _gaussian(class_name: str) -> Build:
    def build(options: Any, prior: Prior, noise_std: float, _: Progress | None) -> Reconstructor:
        from ganprior import baselines

        kind: type[baselines.GaussianMixture] = getattr(baselines, class_name)
        if "law" in options:
            return kind.load(options["law"], noise_std)
        return kind.shipped_for(prior.card.get("data_sha256"), noise_std)

    return build


def _baseline(class_name: str) -> Build:
    def build(options: Any, *_: object) -> Reconstructor:
        from ganprior import baselines

        solver: Reconstructor = getattr(baselines, class_name)(**options)
        return solver

    return build


def _nearest_patch(options: Any, prior: Prior, *_others: object) -> Reconstructor:
    from ganprior.baselines import NearestPatch
    from ganprior.solvers import poisson_blend

    if "images" not in options:
        raise ValueError("option 'images' is missing; give images=PATH, the training images")
    channels, size, _ = prior.image_shape
    return NearestPatch(_training_images(options["images"], size, channels), poisson_blend)


def _context_encoder(options: Any, prior: Prior, *_others: object) -> Reconstructor:
    from ganprior.baselines import ContextEncoder

    if "network" in options:
        return ContextEncoder.load(options["network"])
    return ContextEncoder.shipped_for(prior.card.get("data_sha256"))


@functools.lru_cache(maxsize=1)
def _training_images(source: str, size: int, channels: int) -> Tensor:
    from ganprior.cli.inputs import load_images

    return load_images(source, split="train", size=size, channels=channels).floats()


_LATENT: dict[str, Reader] = {
    "restarts": _count,
    "steps": _count,
    "lambda": _weight,
    "effort": _effort,
}
_SEMANTIC: dict[str, Reader] = {**_LATENT, "weights": _weighting, "loss": _loss}
_LASSO: dict[str, Reader] = {"alpha": _positive, "box": _flag}
_KINDS = {
    "csgm": _Kind({**_LATENT, "discriminator": _positive}, _csgm),
    "semantic": _Kind({**_SEMANTIC, "screening": _weight}, _semantic(blend=True)),
    "semantic-raw": _Kind(_SEMANTIC, _semantic(blend=False)),
    "lasso-dct": _Kind({**_LASSO, "weights": _frequency}, _with_noise("LassoDCT")),
    "lasso-wavelet": _Kind({"wavelet": _word, **_LASSO}, _with_noise("LassoWavelet")),
    "lasso-pixel": _Kind(_LASSO, _with_noise("LassoPixel")),
    "tv": _Kind({"weight": _positive}, _with_noise("TotalVariation")),
    "lmmse": _Kind({"law": _word}, _gaussian("LMMSE")),
    "gaussian-mixture": _Kind({"law": _word}, _gaussian("GaussianMixture")),
    "low-rank": _Kind({"tau": _positive}, _baseline("LowRank")),
    "nearest-patch": _Kind({"images": _word}, _nearest_patch),
    "biharmonic": _Kind({}, _baseline("Biharmonic")),
    "context-encoder": _Kind({"network": _word}, _context_encoder),
}
