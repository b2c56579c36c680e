"""Poisson blending: the known pixels of one image, the gradients of another.

R. A. Yeh, C. Chen, T. Y. Lim, A. G. Schwing, M. Hasegawa-Johnson, M. N. Do, "Semantic image
inpainting with deep generative models", 2017, arXiv 1607.07539, section 3.3, after P. Perez,
M. Gangnet, A. Blake, "Poisson image editing", 2003:

    x^ = argmin_x ||grad x - grad G||^2 + s ||x - G||^2   with   x_i = y_i where M_i = 1,

each channel alone. s = 0 is plain Poisson blending, as in both papers. s > 0 is screened
(P. Bhat, B. Curless, M. Cohen, L. Zitnick, "Fourier analysis of the 2D screened Poisson equation
for gradient domain problems", 2008): the colour of the boundary reaches about 1 / sqrt(s) pixels
into a hole and then gives way to that of G.

Gradients are differences of neighbours in a row or column, and there are none across the image's
border. Written for the correction e = x - G, the hidden pixels satisfy the linear equations
(L + s) e = 0, where L is the Laplacian of the grid of pixels and e = y - G at the known ones.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ganprior.baselines.conjugate_gradients import conjugate_gradients
from ganprior.baselines.dct import DCT
from ganprior.numbers import check_number

Method = Literal["auto", "sparse", "conjugate-gradients"]

# Residual over right-hand side at which conjugate gradients stop; pixels are then right to 1e-6.
TOLERANCE = 1e-9


def poisson_blend(
    generated: Tensor,
    y: Tensor,
    mask: Tensor,
    *,
    screening: float = 0.0,
    method: Method = "auto",
) -> Tensor:
    """Continue the known pixels of ``y`` into the holes by the gradients of ``generated``.

    Parameters
    ----------
    generated : Tensor
        G(z), (B, C, H, W).
    y : Tensor
        Images whose known pixels stay, (B, C, H, W); hidden pixels may hold anything.
    mask : Tensor
        1 where a pixel of y is known and 0 where it is hidden; any shape that broadcasts to
        (B, C, H, W).
    screening : float
        s, at least 0; 0 for plain Poisson blending.
    method : {"auto", "sparse", "conjugate-gradients"}
        How the equations are solved: by a sparse factorisation per distinct mask (SciPy, on the
        CPU), or by conjugate gradients on all images at once, preconditioned by a cosine
        transform, on the device of the images. ``"auto"`` takes the first on a CPU. Both solve
        in double precision and agree to 1e-6.

    Returns
    -------
    Tensor
        Blended images, (B, C, H, W), not clipped. Known pixels are those of y, bit by bit. A
        channel without a known pixel is that of ``generated``.

    Raises
    ------
    ValueError
        If shapes differ, ``screening`` is negative, or the method is unknown.
    """
    if y.shape != generated.shape or y.dim() != 4:
        raise ValueError(
            "generated and y must both be (B, C, H, W), got "
            f"{tuple(generated.shape)} and {tuple(y.shape)}"
        )
    check_number("screening", screening, least=0)
    if method == "auto":
        method = "sparse" if y.device.type == "cpu" else "conjugate-gradients"
    solvers = {"sparse": _sparse, "conjugate-gradients": _iterative}
    if method not in solvers:
        raise ValueError(f"method must be auto, {' or '.join(solvers)}, got {method!r}")
    known = (mask != 0).expand_as(y).flatten(0, 1)
    difference = torch.where(known, (y - generated).flatten(0, 1), 0).double()
    correction = solvers[method](difference, known, screening)
    blended = generated + correction.to(generated.dtype).view_as(y)
    return torch.where(known.view_as(y), y, blended)


def _sparse(difference: Tensor, known: Tensor, screening: float) -> Tensor:
    """Solve by one factorisation per distinct mask; planes (N, H, W)."""
    import numpy as np
    from scipy import sparse
    from scipy.sparse.linalg import splu

    height, width = known.shape[1:]
    rows, columns = _path_laplacian(height), _path_laplacian(width)
    laplacian = sparse.kronsum(columns, rows) + screening * sparse.identity(height * width)
    laplacian = laplacian.tocsr()
    masks, which = known.flatten(1).cpu().unique(dim=0, return_inverse=True)
    values = difference.flatten(1).cpu().numpy()
    correction = np.zeros_like(values)
    for number, mask in enumerate(masks.numpy()):
        if mask.all() or not mask.any():
            continue
        planes = (which == number).numpy()
        hidden = laplacian[~mask]
        boundary = -(hidden[:, mask] @ values[planes][:, mask].T)
        solved = splu(hidden[:, ~mask].tocsc()).solve(boundary)
        correction[np.ix_(planes, ~mask)] = solved.T
    return torch.from_numpy(correction).view_as(difference).to(difference.device)


def _path_laplacian(size: int):  # type: ignore[no-untyped-def]
    """Laplacian of a line of pixels, sparse (size, size): nothing crosses its ends."""
    import numpy as np
    from scipy import sparse

    difference = sparse.diags([-np.ones(size), np.ones(size)], [0, 1], shape=(size - 1, size))
    return difference.T @ difference


def _iterative(difference: Tensor, known: Tensor, screening: float) -> Tensor:
    """Solve by preconditioned conjugate gradients on all planes (N, H, W) at once."""
    hidden = (~known).double()

    def operator(e: Tensor) -> Tensor:
        return hidden * (_laplacian(e) + screening * e)

    solved = conjugate_gradients(
        operator,
        -operator(difference),
        tolerance=TOLERANCE,
        max_steps=difference[0].numel(),
        precondition=_Preconditioner(hidden, screening),
    )
    return solved.x


class _Preconditioner:
    """Inverse of L + s + c on the whole grid, where the cosine transform makes it diagonal.

    On the whole grid L is singular: the constant c stands for what the boundary of a hole adds,
    about one over the squared width of a large one.
    """

    def __init__(self, hidden: Tensor, screening: float) -> None:
        height, width = hidden.shape[-2:]
        self._hidden = hidden
        self._transform = DCT(hidden)
        eigenvalues = _path_eigenvalues(height)[:, None] + _path_eigenvalues(width)
        shift = screening + 16 / (height * width)
        self._inverse = 1 / (eigenvalues + shift).to(hidden)

    def __call__(self, r: Tensor) -> Tensor:
        return self._hidden * self._transform.synthesis(self._inverse * self._transform.analysis(r))


def _path_eigenvalues(size: int) -> Tensor:
    return 2 - 2 * torch.cos(torch.pi * torch.arange(size, dtype=torch.float64) / size)


def _laplacian(e: Tensor) -> Tensor:
    """L e of planes (N, H, W): at each pixel the sum of its differences to its neighbours."""
    down, right = e.diff(dim=-2), e.diff(dim=-1)
    result = torch.zeros_like(e)
    result[..., 1:, :] += down
    result[..., :-1, :] -= down
    result[..., 1:] += right
    result[..., :-1] -= right
    return result
