"""What is registered: names of solvers, physics and masks, given at the class or function.

    @register(
        "solver",
        "tv",
        "min over x in [0, 1] of 1/2 ||y - A x||^2 + weight TV(x)",
        Number("weight", "weight of TV, tuned when left out", example=0.01, above=0),
    )
    class TotalVariation(Reconstructor): ...

An entry is light: it names the module and holds options, and imports the module when it makes
something. Entries of this package are read from its source (see ``source``), so that the command
line knows all names without importing torch; those of other programs are there once their module is
imported.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from ganprior.registry.options import Option

Kind = Literal["solver", "physics", "mask", "architecture", "objective"]
Target = TypeVar("Target", bound=Callable[..., Any])

# Entries by kind, name and variant, in the order of import.
_IMPORTED: dict[tuple[str, str, str], Entry] = {}


@dataclass(frozen=True)
class Entry:
    """One name.

    Attributes
    ----------
    kind : {"solver", "physics", "mask", "architecture", "objective"}
        What the name is one of; baselines are solvers.
    name : str
        As a user writes it.
    summary : str
        One line of help.
    options : tuple of Option
        What may follow the name, those of variants last.
    module, target : str
        Where the class or function is, and what it is called there.
    fixed : mapping
        Arguments that the name stands for.
    variant : str
        The option that a variant is for: see :class:`register`.
    needs : str
        What it needs, for documentation and tests: of a solver "linear" or "mask", the physics
        that it takes; of a physics "colour", the images that it takes; any, when empty.
    random : bool
        Whether a generator has a part in it.
    uncertain : bool
        Of a solver: whether its solutions can say how sure they are, pixel by pixel.
    one_of : str
        The kind whose entries, each with its one option, are the options of this one; exactly one
        of them must be given. Empty for most.
    variants : tuple of Entry
        Variants of the same name.
    """

    kind: Kind
    name: str
    summary: str
    options: tuple[Option, ...]
    module: str
    target: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    needs: str = ""
    random: bool = False
    uncertain: bool = False
    one_of: str = ""
    variants: tuple[Entry, ...] = ()

    def load(self) -> Any:
        """Import the class or function."""
        return getattr(importlib.import_module(self.module), self.target)

    def make(self, options: Mapping[str, Any], context: Mapping[str, Any]) -> Any:
        """Call the class or function, or its classmethod ``from_options`` where it has one.

        Parameters
        ----------
        options : mapping
            Values by the names of the options.
        context : mapping
            Values by the names of arguments, such as ``prior`` and ``noise_std``; those that the
            callee does not have are not passed.

        Raises
        ------
        ValueError
            If the callee refuses a value.
        """
        chosen = next((entry for entry in self.variants if entry.variant in options), self)
        target = chosen.load()
        callee = getattr(target, "from_options", target)
        parameters = inspect.signature(callee).parameters
        for name, parameter in parameters.items():
            if parameter.default is parameter.empty and context.get(name, options) is None:
                raise ValueError(f"{self.name} needs a {name}; give {name}=...")
        keywords = {option.name: option.keyword for option in self.options}
        if self.one_of:
            # Keywords are those of the entry that is one of the options.
            keywords = {name: name for name in keywords}
        return callee(
            **{name: value for name, value in context.items() if name in parameters},
            **{keywords[name]: value for name, value in options.items()},
            **chosen.fixed,
        )

    @property
    def example(self) -> str:
        """A spec with every option that must be given."""
        needed = [option for option in self.options if option.required]
        if self.one_of:
            needed = [*self.options[:1]]
        settings = ",".join(f"{option.name}={option.example}" for option in needed)
        return f"{self.name}:{settings}" if settings else self.name


class register:
    """Give a class or function a name on the command line and in ``ganprior.solver``.

    Parameters
    ----------
    kind : {"solver", "physics", "mask", "architecture", "objective"}
        What the name is one of; baselines are solvers.
    name : str
        The name. A mask's name is also that of its one option.
    summary : str
        One line of help.
    *options : Option
        What may follow the name. Their values are passed by keyword, to the classmethod
        ``from_options`` where the class has one. Of solvers ``prior`` and
        ``noise_std``, of physics and masks ``img_size``, ``generator`` and ``noise_model`` are
        passed as well, where the callee has such an argument.
    fixed : mapping, optional
        Further arguments, always the same.
    variant : str
        Makes this the class that an existing name stands for where the option of this name is
        given.
    needs : {"", "linear", "mask", "colour"}
        See :class:`Entry`.
    random, uncertain : bool
        See :class:`Entry`.
    one_of : str
        See :class:`Entry`.

    Notes
    -----
    In this package every argument is a literal, an option, or imported at the head of the file
    from a module that does without torch: the command line evaluates the decorator alone.
    """

    def __init__(
        self,
        kind: Kind,
        name: str,
        summary: str,
        *options: Option,
        fixed: Mapping[str, Any] | None = None,
        variant: str = "",
        needs: str = "",
        random: bool = False,
        uncertain: bool = False,
        one_of: str = "",
    ) -> None:
        self._entry = Entry(
            kind,
            name,
            summary,
            options,
            module="",
            target="",
            fixed=fixed or {},
            variant=variant,
            needs=needs,
            random=random,
            uncertain=uncertain,
            one_of=one_of,
        )

    def __call__(self, target: Target) -> Target:
        """Register the class or function; it stays as it is."""
        entry = self.entry(target.__module__, target.__name__)
        _IMPORTED[entry.kind, entry.name, entry.variant] = entry
        return target

    def entry(self, module: str, target: str) -> Entry:
        """Entry of a class or function of a module."""
        return replace(self._entry, module=module, target=target)


def imported() -> list[Entry]:
    """Entries of all modules that are imported."""
    return list(_IMPORTED.values())
