"""How a prior comes from files, code, pickles and the Hugging Face hub, and goes back to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from torch import Tensor, nn

from ganprior.priors.cards import find_prior
from ganprior.priors.code import (
    adapter_of,
    factory_of,
    filled,
    is_factory,
    is_program,
    load_made,
    load_program,
    made_by,
)
from ganprior.priors.hub import fetched, pushed, with_hash
from ganprior.priors.layouts import DCGAN, dcgan_of
from ganprior.priors.network_files import by_part, read_tensors
from ganprior.priors.pickles import is_pickle, read_pickle
from ganprior.priors.store import Stored, load_stored, save_stored


class StoredPrior(nn.Module):
    """What ``Prior`` has of files; see there."""

    card: dict[str, Any]

    @classmethod
    def load(
        cls,
        name: str | Path,
        *,
        trust_code: bool | None = None,
        trust_pickle: bool | None = None,
    ) -> Self:
        """Load a prior by name, from a safetensors file with its card beside it, or from code.

        Names are those of the shipped priors, and of priors for research use only in the folder
        that the environment variable ``GANPRIOR_PRIORS`` names or in ``data/priors`` of a checkout.

        Parameters
        ----------
        name : str or Path
            Name, file, ``package.module:factory``, or a program of TorchScript (``.pt``) or
            ``torch.export`` (``.pt2``), for which see :mod:`ganprior.priors.code`; or a pickle of
            the weights of a DCGAN (:mod:`ganprior.priors.adapters.dcgan`).
        trust_code : bool, optional
            Whether code that is not part of ganprior may run; refused by default, unless
            ``GANPRIOR_TRUST_CODE=1`` says otherwise.
        trust_pickle : bool, optional
            Whether a pickle may be read, which is done in a process of its own and runs nothing;
            refused by default, unless ``GANPRIOR_TRUST_PICKLE=1`` says otherwise.

        Raises
        ------
        ValueError
            If there is none, or the file is damaged or of no kind that is known, or code or a
            pickle is not trusted or does not work.
        """
        make: Any = cls
        if is_factory(name):
            made = made_by(str(name), cls, trust_code)
            made.card["factory"] = str(name)
            return made.eval()
        if is_program(name):
            parts = load_program(Path(name), trust_code)
            card = parts.pop("card")
            own: Self = make.from_module(**parts)
            own.card = card
            return own.eval()
        if is_pickle(name):
            return cls._of_dcgan(name, read_pickle(name, trust_pickle=trust_pickle))
        path = find_prior(name)
        if adapter_of(path) == DCGAN:
            own = cls._of_dcgan(path, by_part(read_tensors(path)).get("generator", {}))
            return filled(own, path, "the adapter").eval()
        factory = factory_of(path)
        if factory is not None:
            return load_made(path, factory, cls, trust_code).eval()
        loaded: Self = make(**load_stored(path)._asdict())
        return loaded.eval()

    @classmethod
    def _of_dcgan(cls, path: str | Path, weights: dict[str, Tensor]) -> Self:
        try:
            network, latent_size = dcgan_of(weights)
        except ValueError as error:
            raise ValueError(
                f"{path} has weights whose network cannot be told from them ({error}); write them "
                "as safetensors with 'ganprior convert', and load these into the module itself"
            ) from error
        make: Any = cls
        own: Self = make.from_module(network, (latent_size, 1, 1))
        own.card["adapter"] = DCGAN
        return own.eval()

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path,
        *,
        revision: str | None = None,
        token: str | None = None,
        trust_code: bool | None = None,
    ) -> Self:
        """Load a prior of the Hugging Face hub, or of a folder with the same files.

        The weights must have the hash that the card says. Needs the package ``huggingface_hub``
        (``pip install "ganprior[hub]"``) for what is not a folder; with ``HF_HUB_OFFLINE=1`` only
        what was loaded before is there.

        Parameters
        ----------
        name : str or Path
            ``owner/name``, or a folder, which goes first.
        revision : str, optional
            Branch, tag or commit.
        token : str, optional
            Of a private one; the one that ``hf auth login`` stored when absent.
        trust_code : bool, optional
            As for :meth:`load`: of a prior that names a factory.

        Raises
        ------
        ValueError
            If there is none, it cannot be had, or the weights are not those of the card.
        """
        return cls.load(fetched(name, revision, token), trust_code=trust_code)

    def save(self, path: str | Path, *, factory: str | None = None) -> None:
        """Write ``path``.safetensors and the card ``path``.json.

        Weights of ganprior's own architectures are stored as float16, others as they are.

        Parameters
        ----------
        path : str or Path
            Where to.
        factory : str, optional
            Of a generator of other people's: ``package.module:function``, a function without
            arguments that returns this prior, with any weights. It goes into the card;
            :meth:`load` calls it, if it is trusted, and fills the weights in.

        Raises
        ------
        ValueError
            If the card names neither architecture nor adapter and there is no factory, or on a
            folder that cannot be written.
        """
        if factory is not None:
            if not is_factory(factory):
                raise ValueError(f"factory must be 'package.module:function', got {factory!r}")
            self.card["factory"] = factory
        parts = {name: getattr(self, name) for name in Stored._fields}
        save_stored(Stored(**parts), Path(path))

    def save_pretrained(self, folder: str | Path, *, factory: str | None = None) -> None:
        """Write a folder that :meth:`from_pretrained` takes, with the hash in the card.

        Parameters
        ----------
        folder : str or Path
            Where to: ``prior.safetensors`` and ``prior.json`` go there.
        factory : str, optional
            As for :meth:`save`.

        Raises
        ------
        ValueError
            As for :meth:`save`.
        """
        self.save(Path(folder) / "prior", factory=factory)
        with_hash(Path(folder))

    def push_to_hub(
        self,
        name: str,
        *,
        factory: str | None = None,
        private: bool = False,
        token: str | None = None,
    ) -> str:
        """Store the prior on the Hugging Face hub, as :meth:`from_pretrained` takes it from there.

        Parameters
        ----------
        name : str
            ``owner/name``; made where there is none.
        factory : str, optional
            As for :meth:`save`.
        private : bool
            Whether a new one is for its owner alone.
        token : str, optional
            The one that ``hf auth login`` stored when absent.

        Returns
        -------
        str
            Address of the commit.

        Raises
        ------
        ValueError
            If ``huggingface_hub`` is not installed, or the hub refuses.
        """

        def write(folder: Path) -> None:
            self.save_pretrained(folder, factory=factory)

        return pushed(write, name, private=private, token=token)
