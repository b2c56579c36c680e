"""What a prior is worth: representation error, Fréchet distance, precision, recall, diversity.

And the fit of its density (``fit_density``), which is what a solver needs to know of it.
Training does not stand on it: a run is handed a monitor (``quality_monitor``).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
