"""``python -m ganprior``: the command line, where no console script is on the path."""

from ganprior.cli.main import main

if __name__ == "__main__":
    main()
