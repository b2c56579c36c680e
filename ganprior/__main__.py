"""``python -m ganprior``: the command line, where the folder of console scripts is not on the path."""

from ganprior.cli.main import main

if __name__ == "__main__":
    main()
