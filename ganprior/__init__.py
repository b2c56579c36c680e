"""Inverse problems solved with GAN priors.

Given measurements y = A(x) + noise, find the latent z whose image G(z) explains y. The public names
stand in ``__init__.pyi``, for type checkers, editors and the running program alike, and are
imported when they are first asked for: ``import ganprior`` alone takes milliseconds, and only a
physics needs deepinv.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
