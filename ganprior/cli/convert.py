"""``ganprior convert``: weights of a pickle as safetensors."""

from __future__ import annotations

from pathlib import Path

import click

from ganprior.cli.options import OUT, trust_pickle_option


@click.command()
@click.argument("pickle", type=click.Path())
@click.option("--out", required=True, type=OUT, help="NAME of NAME.safetensors.")
@click.option("--key", help="Entry of a checkpoint, with dots between inner ones: G_ema, say.")
@trust_pickle_option
def convert(pickle: str, out: str | Path, key: str | None) -> None:
    """Write the weights of PICKLE, a file of torch.save or pickle.dump, as safetensors.

    A pickle is a program: it is read only with --trust-pickle, in a process of its own that runs
    nothing of it. A whole module that was pickled, an NVlabs network say, gives the weights of its
    state dict. What is a DCGAN becomes a prior, with a card; other weights are loaded into the
    module that they are of.
    """
    from ganprior.files import write_tensors
    from ganprior.priors import dcgan, read_pickle
    from ganprior.priors.cards import part_of_prior

    weights = read_pickle(pickle, key)
    try:
        prior = dcgan(weights)
    except ValueError:
        file = part_of_prior(Path(out), ".safetensors")
        write_tensors(file, weights)
        click.echo(f"{file}: {len(weights)} tensors; load them into the module that they are of")
        return
    prior.save(out)
    size = " x ".join(map(str, prior.image_shape))
    click.echo(f"{out}: the prior of a DCGAN, {size}; ganprior sample --prior {out}")
