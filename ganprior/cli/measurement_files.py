"""Measurements in an ``.npz`` file.

Keys: ``y``, (N, ...); for the physics either ``A``, (m, n), or ``spec``, ``seed`` and
``image_shape``, from which it is built again; ``names``, ``indices`` and ``noise_std`` where they
are known; and ``x``, the true images in [0, 1], where errors are wanted. ``y``, (N, m), and ``A``
are all that a file of a user's own needs.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganprior.cli.inputs import Shape, words
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.measurements import Measurements
from ganprior.files import write_atomically

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Arrays = dict[str, NDArray[Any]]

# What each key besides y and A must be: kinds of NumPy type, in words, and one per signal or one.
_KEYS = {
    "names": ("U", "text", True),
    "indices": ("iu", "whole numbers", True),
    "spec": ("U", "text", False),
    "seed": ("iu", "a whole number", False),
    "noise_std": ("iuf", "a number", False),
}


def save(measured: Measurements, path: Path, *, matrix: Tensor | None = None) -> None:
    """Write a measurement file.

    Parameters
    ----------
    measured : Measurements
        What to write.
    path : Path
        Name of the file, ending in ``.npz``.
    matrix : Tensor, optional
        A, (m, n), to store as well; y must then be (N, m).

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    import numpy as np

    arrays: Arrays = {
        "y": measured.y.numpy(),
        "names": np.array(measured.names),
        "indices": np.array(measured.indices, dtype=np.int64),
        "seed": np.array(measured.seed, dtype=np.int64),
        "noise_std": np.array(measured.noise_std, dtype=np.float64),
        "image_shape": np.array(measured.image_shape, dtype=np.int64),
    }
    if measured.original is not None:
        arrays["x"] = measured.original.numpy()
    if measured.spec is not None:
        arrays["spec"] = np.array(measured.spec)
    if matrix is not None:
        arrays["A"] = matrix.numpy()
    write_atomically(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def load(path: Path, image_shape: Shape) -> Measurements:
    """Read a measurement file; nothing pickled is ever loaded.

    Parameters
    ----------
    path : Path
        The file.
    image_shape : tuple of int
        (C, H, W) of the images to reconstruct.

    Raises
    ------
    ValueError
        If the file is not ``.npz``, is damaged, lacks y or the physics, holds NaN or infinite
        numbers, its shapes fit neither each other nor the images, or x leaves [0, 1].
    """
    arrays = _read(path)
    y = _floats(arrays, "y", path)
    if y.dim() < 2 or len(y) == 0:
        raise ValueError(
            f"{path}: y must be (signals, m) with at least one signal, got {tuple(y.shape)}; "
            "reshape it"
        )
    facts = _facts(arrays, len(y), path)
    physics = _physics(arrays, facts, image_shape, path)
    _check_fit(y, physics, image_shape, path)
    return Measurements(
        y=y,
        physics=physics,
        image_shape=image_shape,
        names=tuple(facts.get("names", [f"{path.name}[{i}]" for i in range(len(y))])),
        indices=tuple(facts.get("indices", range(len(y)))),
        spec=facts.get("spec"),
        seed=facts.get("seed", 0),
        noise_std=facts.get("noise_std", 0.0),
        original=_images(arrays, (len(y), *image_shape), path) if "x" in arrays else None,
    )


def _read(path: Path) -> Arrays:
    from ganprior.datasets.numpy_files import read_npz

    try:
        arrays, keys = read_npz(path, ("y", "A", "x", "image_shape", *_KEYS))
    except FileNotFoundError:
        raise ValueError(f"no measurement file {path}; 'ganprior measure' writes one") from None
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror or error}") from error
    if "y" not in arrays or not arrays.keys() & {"A", "spec"}:
        raise ValueError(
            f"{path} has the keys {', '.join(keys) or 'none'}; it must hold y (signals, m), "
            "and A (m, n) or what 'ganprior measure' writes"
        )
    return arrays


def _floats(arrays: Arrays, key: str, path: Path) -> Tensor:
    """Real numbers as float32."""
    import torch

    array = arrays[key]
    if array.dtype.kind != "f":
        raise ValueError(
            f"{path}: {key} must hold real floating-point numbers, got {array.dtype}; convert it"
        )
    # Native byte order and one float type, whatever the file has.
    tensor = torch.from_numpy(array.astype("float64")).float()
    if not tensor.isfinite().all():
        raise ValueError(
            f"{path}: {key} holds NaN, infinite or too large numbers; remove or repair them"
        )
    return tensor


def _images(arrays: Arrays, shape: tuple[int, ...], path: Path) -> Tensor:
    """True images, (N, C, H, W); as rows of pixels, (N, n), or without channels they fit too."""
    from ganprior.datasets.floats import SLACK

    x = _floats(arrays, "x", path)
    fitting = {shape, (shape[0], math.prod(shape[1:]))}
    fitting |= {(shape[0], *shape[2:])} if shape[1] == 1 else set()
    if tuple(x.shape) not in fitting:
        raise ValueError(
            f"{path}: x must be the {shape[0]} images that y was measured of, "
            f"{words(shape)} (signals x channels x height x width), got {tuple(x.shape)}; "
            "reshape or drop it"
        )
    if x.min() < -SLACK or x.max() > 1 + SLACK:
        raise ValueError(
            f"{path}: x must lie in [0, 1], got {x.min():g} to {x.max():g}; rescale it, and A "
            "or y with it, or drop it"
        )
    return x.reshape(shape).clamp(0, 1)


def _facts(arrays: Arrays, count: int, path: Path) -> dict[str, Any]:
    """All keys but y, A, x and image_shape as Python values."""
    facts = {}
    for key, (kinds, what, per_signal) in _KEYS.items():
        if key not in arrays:
            continue
        shape = (count,) if per_signal else ()
        array = arrays[key]
        if array.dtype.kind not in kinds or array.shape != shape:
            each = ", one per signal" if per_signal else ""
            raise ValueError(
                f"{path}: {key} must be {what}{each}, got {array.dtype} of shape {array.shape}; "
                "correct or drop it"
            )
        if array.dtype.kind != "U" and not ((array >= 0) & (array < math.inf)).all():
            raise ValueError(f"{path}: {key} must be finite and not negative; correct or drop it")
        facts[key] = array.tolist()
    return facts


def _physics(arrays: Arrays, facts: dict[str, Any], image_shape: Shape, path: Path) -> Any:
    if "A" in arrays:
        return _dense(_floats(arrays, "A", path), image_shape, path)
    if "seed" not in facts or "image_shape" not in arrays:
        raise ValueError(f"{path} has spec but not seed and image_shape; measure the images again")
    sides = arrays["image_shape"]
    if sides.shape != (3,) or sides.dtype.kind not in "iu":
        raise ValueError(
            f"{path}: image_shape must be three whole numbers (channels, height, width), got "
            f"{sides.dtype} of shape {sides.shape}; measure the images again"
        )
    stored = tuple(sides.tolist())
    if stored != image_shape:
        raise ValueError(
            f"{path} holds measurements of {words(stored)} images (channels x height x width), "
            f"the prior makes {words(image_shape)}; use a prior of that size"
        )
    return MeasureSpec.parse(facts["spec"]).build(image_shape, facts["seed"])


def _dense(matrix: Tensor, image_shape: Shape, path: Path) -> Any:
    from ganprior.physics import Dense

    n = math.prod(image_shape)
    if matrix.dim() != 2 or matrix.shape[1] != n:
        raise ValueError(
            f"{path}: A must be (m, n) with n = {words(image_shape)} = {n}, the pixels of the "
            f"prior's images, got {tuple(matrix.shape)}; use a prior of that size or transpose A"
        )
    return Dense(matrix, image_shape)


def _check_fit(y: Tensor, physics: Any, image_shape: Shape, path: Path) -> None:
    import torch

    expected = tuple(physics.A(torch.zeros(1, *image_shape)).shape[1:])
    if tuple(y.shape[1:]) != expected:
        raise ValueError(
            f"{path}: y is {tuple(y.shape)} where its physics gives (signals, "
            f"{', '.join(map(str, expected))}); give the A that y was measured with"
        )
