"""Command line of ganprior: one file per command."""
