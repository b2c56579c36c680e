"""Options of every solver that searches the latents of a prior; importable without torch."""

from ganprior.registry import Choice, Count, Number

DEFAULT_EFFORT = "balanced"
# Memory grows with the first, time with both.
MOST_RESTARTS = 10_000
MOST_STEPS = 1_000_000
MOST_DRAWS = 10_000
SEARCH = (
    Count(
        "restarts",
        "starts per signal, in place of the effort's",
        example=10,
        most=MOST_RESTARTS,
    ),
    Count(
        "steps",
        "first-order steps per signal, in place of the effort's",
        example=200,
        most=MOST_STEPS,
    ),
    Choice(
        "effort",
        f"how much work goes into one signal, {DEFAULT_EFFORT} by default",
        words=("reference", "balanced", "fast"),
        example="balanced",
    ),
    Number(
        "setup",
        "seconds for what is computed once per prior, 0 for nothing; by a rule when left out",
        example=60,
        minimum=0,
    ),
)
SEMANTIC = (
    *SEARCH,
    Number(
        "lambda",
        "weight of the prior loss, 0.015 by default",
        argument="prior_weight",
        example=0.015,
        minimum=0,
    ),
    Choice(
        "weights",
        "of the known pixels, weighted by default",
        argument="weighting",
        words=("weighted", "uniform", "inverted"),
        example="weighted",
    ),
    Choice(
        "loss",
        "the prior loss; by default the one that suits the prior's discriminator",
        argument="prior_loss",
        words=("saturating", "non-saturating", "critic"),
        example="saturating",
    ),
)
