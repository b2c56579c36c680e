"""Training of priors: one file per adversarial objective, one loop for all of them.

Names are imported when they are first asked for: recipes are read without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
