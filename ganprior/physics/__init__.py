"""How measurements are made: deepinv physics, and what deepinv lacks.

Every physics answers ``A(x)``, ``A_adjoint(y)``, ``A_dagger(y)`` and ``physics(x)`` on images
(B, C, H, W), keeps its input unchanged, and can be mapped by ``torch.vmap`` and differentiated
forwards and backwards. Names are imported when they are first asked for: what finds out about a
physics (:func:`facts`) needs no deepinv, and solvers need nothing else.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
