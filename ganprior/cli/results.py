"""The rule for a folder of results, ``--out`` of every command that has one.

The folder is new, or empty, or holds the results of an earlier run of the same kind and nothing
else. New results are written to a hidden folder inside it, and when the last one is there they take
the places of the earlier ones. Who is interrupted, killed or out of disk before that still has the
earlier ones, all of them.

What a run has computed block by block lies in the hidden folder ``.unfinished`` until then.
``train``, ``figure`` and ``sweep`` go on where they stopped, and have a rule of their own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganprior.cli.output import check_folder

# Tells a result by its path inside the folder, with "/" between the parts.
IsResult = Callable[[str], bool]

RULE = (
    "Folder to write to: new, or empty, or one that holds the results of an earlier run and "
    "nothing else. Those are replaced all at once, at the very end."
)
# Folder of work that is kept when a run is stopped.
UNFINISHED = ".unfinished"
# What lies in a folder without anyone's having put it there: of a file browser, and of a run that
# was killed while it wrote.
_PASSED_OVER = (".DS_Store", ".part-", ".replaced-", UNFINISHED)


def check_results(folder: Path, is_result: IsResult, *, resume: bool = False) -> None:
    """Refuse, before any work, a folder that a command may not fill with its results.

    Parameters
    ----------
    folder : Path
        The folder that ``--out`` names; it need not be there.
    is_result : callable
        Tells the files of an earlier run, which are to be replaced.
    resume : bool
        Whether to go on with what a run left there that was stopped.

    Raises
    ------
    ValueError
        If it cannot be written to, holds a file that is no result, or the work of a run that was
        stopped and is not to go on.
    """
    check_folder("--out", folder)
    if not resume and (folder / UNFINISHED).exists():
        raise ValueError(
            f"--out {folder} holds the work of a run that was stopped; add --resume to go on with "
            f"it, choose another folder, or remove {folder / UNFINISHED} to start anew"
        )
    foreign = next((name for name in _files(folder) if not is_result(name)), None)
    if foreign is not None:
        raise ValueError(
            f"--out {folder} holds {foreign}, which is not known as a result of an earlier "
            "run of this command; choose another folder, or move that file away"
        )


@contextmanager
def new_results(folder: Path, is_result: IsResult) -> Iterator[Path]:
    """Replace the results in a folder all at once, when the block has written the new ones.

    Parameters
    ----------
    folder : Path
        As for :func:`check_results`.
    is_result : callable
        As for :func:`check_results`; a file that it does not know stays.

    Yields
    ------
    Path
        An empty folder to write to. After an exception it is gone with all that is in it, and
        ``folder`` is as it was before.

    Raises
    ------
    ValueError
        If the files cannot be written or moved.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as name:
            yield Path(name)
            _take_places(Path(name), folder, is_result)
    except OSError as error:
        raise ValueError(
            f"cannot write to {folder}: {error.strerror or error}; choose another output folder"
        ) from error
    finally:
        _remove_if_empty(made)


def _take_places(new: Path, folder: Path, is_result: IsResult) -> None:
    """Move earlier results out and new ones in, or leave everything as it is."""
    replaced = Path(tempfile.mkdtemp(dir=folder, prefix=".replaced-"))
    earlier = sorted(filter(is_result, _files(folder)))
    # summary.json goes first and comes last: whoever finds it finds the others as well.
    moves = [(folder / name, replaced / name) for name in reversed(earlier)]
    moves += [(new / name, folder / name) for name in sorted(_files(new))]
    begun = 0
    try:
        for source, target in moves:
            begun += 1
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
    except BaseException:
        for source, target in reversed(moves[:begun]):
            if not source.exists():
                target.rename(source)
        shutil.rmtree(replaced)
        raise
    shutil.rmtree(replaced, ignore_errors=True)
    _remove_if_empty({(folder / name).parent for name in earlier} - {folder})


def _files(folder: Path) -> Iterator[str]:
    """Paths of the files in a folder and below it, without those that nobody put there."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(_PASSED_OVER)]
        for name in sorted(files + links):
            if not name.startswith(_PASSED_OVER):
                yield Path(place, name).relative_to(folder).as_posix()


def _remove_if_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
