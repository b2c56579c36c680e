from . import masks as masks
from .by_name import make_physics as make_physics
from .facts import Facts as Facts
from .facts import facts as facts
from .gaussian import Dense as Dense
from .least_squares import least_norm_solution as least_norm_solution
from .measurements import add_noise as add_noise
from .measurements import measurement_count as measurement_count
from .measurements import measurement_support as measurement_support
from .mri import cartesian_mask as cartesian_mask
from .pixelwise import inpainting as inpainting
from .pixelwise import with_missing as with_missing

# registered, by python -m experiments.tables --write
from .filters import blur as blur
from .filters import downsampling as downsampling
from .gaussian import Gaussian as Gaussian
from .mri import SingleCoilMRI as SingleCoilMRI
from .pixelwise import gray as gray
from .pixelwise import identity as identity
from .structured import StructuredRows as StructuredRows
