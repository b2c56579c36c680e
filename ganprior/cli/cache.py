"""``ganprior cache``: banks of starts and curvatures that are kept between runs."""

from __future__ import annotations

import time

import click


@click.group()
def cache() -> None:
    """List or clear what is kept of priors between runs.

    A bank of starts, and the generator's mean curvature, are computed once per prior and kept in
    the folder GANPRIOR_CACHE, by default ~/.cache/ganprior. They take at most GANPRIOR_CACHE_GB
    gigabytes, 1 by default: what was used least recently goes first. Nothing is lost without them
    but the time that it takes to compute them again.
    """


@cache.command("list")
def list_() -> None:
    """List what is kept, what was used last first, and how much it is in all."""
    from ganprior.cache import arrays, cache_folder, most_bytes

    kept = arrays()
    for one in kept:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.used))
        click.echo(f"{one.size / 1e6:10.1f} MB  {used}  {one.path.name}")
    total = sum(one.size for one in kept) / 1e9
    click.echo(f"{total:.2f} of at most {most_bytes() / 1e9:g} GB in {cache_folder()}")


@cache.command()
def clear() -> None:
    """Remove all of it."""
    from ganprior.cache import cache_folder
    from ganprior.cache import clear as remove

    click.echo(f"removed {remove() / 1e9:.2f} GB from {cache_folder()}")
