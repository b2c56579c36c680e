"""The directive ``command-picture``: a command of ours, and the picture that it makes.

    ```{command-picture} what is to be seen
    ganprior reconstruct data/... --out results
    ```

The command runs when the page is read, from the root of the checkout, with ``--out`` replaced by a
folder of its own; ``figure.png`` of that folder becomes part of the page. A command that fails ends
the build.
"""

from __future__ import annotations

import contextlib
import hashlib
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from ganprior.cli.main import cli

ROOT = Path(__file__).parents[2]
# Of the documentation's sources, where Sphinx looks for pictures; git ignores it.
PICTURES = "pictures"


class CommandPicture(SphinxDirective):
    """Show a command and run it; the argument is the picture's text for those who do not see it."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The command as a block of code, and the picture."""
        text = "\n".join(self.content)
        name = f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.png"
        picture = Path(self.env.srcdir) / PICTURES / name
        picture.parent.mkdir(exist_ok=True)
        try:
            make_picture(text, picture)
        except RuntimeError as error:
            raise self.error(str(error)) from error
        shown = nodes.literal_block(text, text, language="sh")
        return [shown, nodes.image(uri=f"/{PICTURES}/{name}", alt=self.arguments[0])]


def make_picture(command: str, picture: Path) -> None:
    """Run a command of ours and keep its ``figure.png``.

    Raises
    ------
    RuntimeError
        If the command fails.
    """
    words = shlex.split(command.replace("\\\n", " "))[1:]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(ROOT):
        words[words.index("--out") + 1] = f"{folder}/out"
        done = CliRunner().invoke(cli, [*words, "--quiet"])
        if done.exit_code != 0:
            raise RuntimeError(f"{command}: {done.output or done.exception}")
        shutil.copyfile(f"{folder}/out/figure.png", picture)


def setup(app: Any) -> dict[str, bool]:
    """Register the directive; commands change the working directory, so pages are read in turn."""
    app.add_directive("command-picture", CommandPicture)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
