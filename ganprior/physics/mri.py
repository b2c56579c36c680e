"""Single-coil Cartesian magnetic resonance imaging of real images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from deepinv.physics import MRI, LinearPhysics
from torch import Tensor

from ganprior.physics.arguments import (
    LEAST_SQUARES,
    check_images,
    checked_generator,
    checked_img_size,
    checked_mask,
    refuse_unknown,
)
from ganprior.physics.one_line import OneLine
from ganprior.registry import Number, register


@register(
    "physics",
    "mri",
    "some columns of the Fourier transform, of images of one channel",
    Number(
        "acceleration",
        "width over the number of columns measured",
        example=4,
        minimum=1,
        required=True,
    ),
    random=True,
)
class SingleCoilMRI(OneLine, LinearPhysics):
    """Some lines of the two-dimensional Fourier transform of a real image: y = M F x.

    deepinv's ``MRI`` takes complex images as two channels, and cannot be mapped over restarts by
    ``torch.vmap``; this one takes real images of one channel and shares its conventions: F is
    centred and orthonormal, y holds the real and the imaginary part in two channels, lines that
    were not measured are zero, and a ``mask`` given to a call (or to ``update``) takes the place of
    the physics' own from then on, and may be differentiated by.

    Parameters
    ----------
    mask : Tensor
        1 (or True) where k-space is measured, 0 elsewhere: (H, W), (1, H, W) or (1, 1, H, W); or
        (B, 1, H, W), one mask per image. Zero frequency is at (H // 2, W // 2).
    img_size : sequence of int
        (1, H, W) of the images.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to the measured lines; nothing when absent.

    Raises
    ------
    ValueError
        If images have several channels, or the mask does not fit them, holds values other than 0
        and 1, or measures nothing of an image.

    Examples
    --------
    >>> import torch
    >>> from ganprior import SingleCoilMRI, cartesian_mask
    >>> physics = SingleCoilMRI(cartesian_mask((1, 64, 64), 4, 0), (1, 64, 64))
    >>> physics(torch.ones(1, 1, 64, 64)).shape
    torch.Size([1, 2, 64, 64])
    """

    shown = ("acceleration", "img_size")
    mask: Tensor

    def __init__(self, mask: Tensor, img_size: Sequence[int], noise_model: Any = None) -> None:
        size = checked_img_size(img_size)
        if size[0] != 1:
            raise ValueError(f"MRI takes images of one channel, got img_size={size}")
        super().__init__(img_size=size, noise_model=noise_model)
        self.register_buffer("mask", checked_mask(mask, size))

    @property
    def acceleration(self) -> float:
        """Entries of k-space over those that are measured, on average over the masks."""
        return self.mask.numel() / float(self.mask.sum())

    @classmethod
    def from_options(
        cls,
        img_size: Sequence[int],
        acceleration: float,
        generator: torch.Generator | int | None = None,
        noise_model: Any = None,
    ) -> SingleCoilMRI:
        """Measure the columns of :func:`cartesian_mask`."""
        mask = cartesian_mask(img_size, acceleration, generator)
        return cls(mask, img_size, noise_model)

    def A(self, x: Tensor, mask: Tensor | None = None, **noise: Any) -> Tensor:
        """Measured lines of k-space, (B, 2, H, W), of images (B, 1, H, W)."""
        check_images(x, self.img_size)
        refuse_unknown(self, noise, "mask")
        self.update_parameters(mask)
        spectrum = MRI.fft(x[:, 0])
        return self.mask * torch.stack((spectrum.real, spectrum.imag), dim=1)

    def A_adjoint(self, y: Tensor, mask: Tensor | None = None, **noise: Any) -> Tensor:
        """Adjoint over real images: the real part of the inverse transform, (B, 1, H, W)."""
        refuse_unknown(self, noise, "mask")
        self.update_parameters(mask)
        y = self.mask * y
        return MRI.ifft(torch.complex(y[:, 0], y[:, 1])).real.unsqueeze(1)

    def A_dagger(self, y: Tensor, mask: Tensor | None = None, **others: Any) -> Tensor:
        """Apply A⁺ in closed form: images (B, 1, H, W).

        The spectrum of a real image is symmetric, so AᵀA = Fᴴ D F, where D is the share of the
        pair (k, -k) that was measured: 0, 1/2 or 1.
        """
        refuse_unknown(self, others, "mask", *LEAST_SQUARES)
        self.update_parameters(mask)
        share = (self.mask + mirrored(self.mask)) / 2
        weight = torch.where(share > 0, 1 / share.clamp(min=0.5), 0)
        return MRI.ifft(weight[:, 0] * MRI.fft(self.A_adjoint(y)[:, 0])).real.unsqueeze(1)

    def noise(self, y: Tensor, **kwargs: Any) -> Tensor:
        """Noise of the noise model, on the measured lines."""
        return self.mask * self.noise_model(y, **kwargs)

    def update_parameters(self, mask: Tensor | None = None, **others: Any) -> None:
        """Measure with another mask from now on; parameters of other objects are passed over.

        Raises
        ------
        ValueError
            As for the class, of the mask.
        """
        if mask is None:
            return
        mask = torch.as_tensor(mask)
        if (
            mask.dim() > 2
            and mask.shape[-3] == 2
            and torch.equal(mask[..., 0, :, :], mask[..., 1, :, :])
        ):
            mask = mask[..., :1, :, :]  # deepinv's masks have a channel for each part of y
        # What was checked has lost its derivative.
        self.mask = mask.reshape(checked_mask(mask, self.img_size).shape).to(self.mask)


def mirrored(mask: Tensor) -> Tensor:
    """Value at -k for every frequency k of a centred grid (..., H, W)."""
    mask = torch.fft.ifftshift(mask, dim=(-2, -1)).flip(-2, -1).roll((1, 1), (-2, -1))
    return torch.fft.fftshift(mask, dim=(-2, -1))


def cartesian_mask(
    img_size: Sequence[int], acceleration: float = 4, generator: torch.Generator | int | None = None
) -> Tensor:
    """Choose whole columns of k-space, all in the centre and fewer and fewer towards the border.

    W / acceleration columns are measured. A third of them is the fully sampled centre (the
    share of the fastMRI masks, Zbontar et al. 2018, arXiv 1811.08839: 8% of the columns at
    acceleration 4); the others are drawn without replacement with a density that falls as
    (1 - r)², r the distance from the centre (Lustig, Donoho, Pauly 2007, "Sparse MRI").

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    acceleration : float
        From 1 (everything is measured) to W (one column).
    generator : torch.Generator or int, optional
        On the CPU, or a seed; seed 0 when absent.

    Returns
    -------
    Tensor
        Mask (1, H, W), float32, 1 where k-space is measured.

    Raises
    ------
    ValueError
        If the acceleration is outside [1, W].
    """
    _, height, width = checked_img_size(img_size)
    if not 1 <= acceleration <= width:
        raise ValueError(
            f"acceleration must be between 1 and the width {width} of the images, "
            f"got {acceleration}"
        )
    lines = round(width / acceleration)
    centre = max(1, round(0.32 * lines))
    first = width // 2 - centre // 2
    kept = torch.zeros(width, dtype=torch.float32)
    kept[first : first + centre] = 1
    if lines > centre:
        distance = (torch.arange(width) - width // 2).abs() / (width // 2 + 1)
        density = (1 - distance.to(kept)) ** 2 * (1 - kept)
        drawn = torch.multinomial(density, lines - centre, generator=checked_generator(generator))
        kept[drawn] = 1
    return kept.expand(1, height, width).clone()
