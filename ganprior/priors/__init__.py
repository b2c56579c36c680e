"""Priors: generators with the law of their latent.

Names are imported when they are first asked for: cards are read without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
