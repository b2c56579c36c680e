"""Names of solvers, baselines, physics and masks: given at the class, read everywhere else.

``register`` stands at the class or function with its name, its line of help and its options. The
command line, ``ganprior.solver`` and ``ganprior.make_physics``, the help texts, the tables of the
documentation, the public names of the package and the tests follow from it. Nothing here imports
torch, and none of the classes is imported before it is made.
"""

from ganprior.numbers import MOST
from ganprior.registry.entries import Entry, Kind, register
from ganprior.registry.lookup import entries
from ganprior.registry.options import (
    LARGEST,
    Choice,
    Count,
    Flag,
    Number,
    Option,
    Text,
    Value,
)
from ganprior.registry.specs import Spec, parse_spec

__all__ = [
    "LARGEST",
    "MOST",
    "Choice",
    "Count",
    "Entry",
    "Flag",
    "Kind",
    "Number",
    "Option",
    "Spec",
    "Text",
    "Value",
    "entries",
    "parse_spec",
    "register",
]
