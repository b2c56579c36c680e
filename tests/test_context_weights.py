"""Context weights: against loops, and in the orders that the paper and its copies have."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganprior.solvers.context_weights import context_weights
from tests.cases import rng

MASKS = (torch.rand(3, 1, 8, 8, generator=rng(4)) > 0.4).float()


class TestWeights:
    """W against loops over pixels and neighbours, written from the paper."""

    @staticmethod
    def by_loops(plane: Tensor, weighting: str, window: int) -> Tensor:
        height, width = plane.shape
        weights = torch.zeros(height, width)
        reach = window // 2
        for i in range(height):
            for j in range(width):
                near = [
                    float(plane[row, column])
                    for row in range(max(0, i - reach), min(height, i + reach + 1))
                    for column in range(max(0, j - reach), min(width, j + reach + 1))
                ]
                hidden = sum(1 - value for value in near) / len(near)
                if plane[i, j] != 0:
                    weights[i, j] = hidden if weighting == "weighted" else 1 - hidden
        return weights

    @pytest.mark.parametrize("weighting", ["weighted", "inverted"])
    @pytest.mark.parametrize("window", [3, 7])
    def test_they_are_those_of_a_loop_for_any_mask(self, weighting, window):
        mask = (torch.rand(2, 3, 9, 8, generator=rng(2)) > 0.3).float()
        found = context_weights(mask, weighting, window)
        for place in ((0, 0), (1, 0), (1, 2)):
            torch.testing.assert_close(found[place], self.by_loops(mask[place], weighting, window))

    def test_restarts_are_a_leading_axis(self):
        both = context_weights(MASKS.expand(2, *MASKS.shape))
        torch.testing.assert_close(both[1], context_weights(MASKS))

    def test_uniform_is_the_mask(self):
        assert torch.equal(context_weights(MASKS, "uniform"), MASKS)

    def test_what_surrounds_a_hole_counts_most_and_in_the_copies_least(self):
        mask = torch.ones(1, 1, 20, 20)
        mask[..., 8:12, 8:12] = 0
        edge, far = (0, 0, 7, 10), (0, 0, 0, 0)
        paper, copied = context_weights(mask), context_weights(mask, "inverted")
        assert paper[edge] > paper[far] == 0
        assert copied[edge] < copied[far] == 1

    def test_bad_settings_are_refused(self):
        with pytest.raises(ValueError, match="one of weighted, uniform, inverted, got 'heavy'"):
            context_weights(MASKS, "heavy")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="window must be odd"):
            context_weights(MASKS, window=4)
