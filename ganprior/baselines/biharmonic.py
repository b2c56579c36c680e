"""Biharmonic inpainting: the missing pixels solve Δ²u = 0 with the known ones as boundary.

S. B. Damelin, N. S. Hoang, "On surface completion and image inpainting by biharmonic functions:
numerical aspects", International J. Mathematics and Mathematical Sciences, 2018; solved by
scikit-image's ``restoration.inpaint_biharmonic``, one image at a time, on the CPU.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.baselines.inpainting import Inpainter
from ganprior.baselines.outcome import Outcome
from ganprior.progress import tell
from ganprior.registry import register


@register(
    "solver",
    "biharmonic",
    "biharmonic functions with the known pixels at their border",
    needs="mask",
)
class Biharmonic(Inpainter):
    """Smooth interpolation of the known pixels, channel by channel; physics: a mask.

    Values stay within the range of the known pixels of the channel. One sparse linear system per
    channel and connected hole: large holes of large images take seconds each.

    Examples
    --------
    >>> import torch
    >>> from ganprior import Biharmonic, inpainting
    >>> mask = torch.ones(1, 28, 28)
    >>> mask[:, 10:14, 10:14] = 0
    >>> physics = inpainting(mask, (1, 28, 28))
    >>> ramp = torch.linspace(0, 1, 28).expand(1, 1, 28, 28)
    >>> torch.allclose(Biharmonic()(physics(ramp), physics), ramp, atol=1e-4)
    True
    """

    def fill(self, known: Tensor, mask: Tensor) -> Outcome:
        """Solve; see :class:`~ganprior.baselines.inpainting.Inpainter`.

        Nothing is minimised: the objective is zero, the misfit of the known pixels.
        """
        from skimage.restoration import inpaint_biharmonic

        x = known.clone()
        planes = (~mask).flatten(2).any(2).nonzero().tolist()
        for done, (i, j) in enumerate(planes, 1):
            channel, missing = known[i, j].double().cpu().numpy(), ~mask[i, j].cpu().numpy()
            # A channel without a known pixel has nothing to go on, and stays zero.
            if not missing.all():
                x[i, j] = torch.from_numpy(inpaint_biharmonic(channel, missing)).to(x)
            tell(done, len(planes))
        ones = torch.ones(len(x), dtype=torch.int64, device=x.device)
        return Outcome(torch.where(mask, known, x), 0 * known[:, 0, 0, 0], ones > 0, ones)
