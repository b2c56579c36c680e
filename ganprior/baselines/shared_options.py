"""Options that several baselines have; importable without torch."""

from ganprior.registry import Flag, Number, Text

ALPHA = Number("alpha", "weight of the l1 norm, tuned when left out", example=0.01, above=0)
BOX = Flag("box", "keep images in [0, 1], false by default")
LAW = Text(
    "law",
    "file of fit-gaussians, or the name of a shipped law; that of the prior's data when left out",
    example="FILE",
)
