"""The numbers and sheets of a run for TensorBoard, when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor


class Board:
    """Writer of TensorBoard's events; one made without a folder writes nothing.

    Parameters
    ----------
    folder : Path or None
        Where the events go; they are added to earlier ones of a resumed run.
    step : int
        Step that the run starts from; what was written of later ones is hidden.

    Raises
    ------
    ValueError
        If TensorBoard is not installed.
    """

    def __init__(self, folder: Path | None, step: int = 0) -> None:
        self._writer: Any = None
        if folder is not None:
            self._writer = summary_writer()(str(folder), purge_step=step + 1)

    def scalars(self, step: int, values: dict[str, float | None]) -> None:
        """Write numbers by name; None is left out."""
        if self._writer is not None:
            for name, value in values.items():
                if value is not None:
                    self._writer.add_scalar(name, value, step)

    def images(self, step: int, images: Tensor) -> None:
        """Write samples (N, C, H, W) in [0, 1]."""
        if self._writer is not None:
            self._writer.add_images("samples", images, step)

    def flush(self) -> None:
        """Bring what was written so far to disk."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Bring everything to disk."""
        if self._writer is not None:
            self._writer.close()


def summary_writer() -> Any:
    """TensorBoard's writer class, imported when first asked for.

    Raises
    ------
    ValueError
        If it is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            "--tensorboard needs the package tensorboard, which is not installed; "
            "pip install tensorboard, or leave the option out: losses.csv has the same numbers"
        ) from error
    return SummaryWriter
