"""DCGAN generators of anyone's, built of their weights alone.

A. Radford, L. Metz, S. Chintala, "Unsupervised representation learning with deep convolutional
generative adversarial networks", ICLR 2016, arXiv 1511.06434. Layers are those of PyTorch's
example (:mod:`ganprior.priors.layouts`), which most code copies, and so the checkpoint of the
package gan-face-generate.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ganprior.priors.layouts import DCGAN, dcgan_of
from ganprior.priors.prior import Prior


def dcgan(weights: Mapping[str, Tensor]) -> Prior:
    """Make a prior of the weights of a DCGAN's generator, with z ~ N(0, I) of shape (k, 1, 1).

    Parameters
    ----------
    weights : mapping
        State dict of the generator, whatever its layers are called: in the order of the layers,
        with those of batch norm behind the convolution that it follows.

    Raises
    ------
    ValueError
        If they are not those of a DCGAN.

    Examples
    --------
    With the weights of gan-face-generate, out of their pickle by ``ganprior convert``::

        weights = safetensors.torch.load_file("faces.safetensors")
        prior = dcgan(weights)
    """
    network, latent_size = dcgan_of(weights)
    prior = Prior.from_module(network, (latent_size, 1, 1))
    prior.card["adapter"] = DCGAN
    return prior.eval()
