"""The context encoder: its losses, its training, its files, and the shipped one."""

import json

import pytest
import torch

from ganprior import Images, Prior, inpainting, load_images
from ganprior.baselines import Biharmonic, ContextEncoder, context_encoder_names
from ganprior.baselines.context_encoder import CONTEXT_ENCODERS
from ganprior.cli.solver_specs import SolverSpec
from ganprior.metrics import per_pixel_error
from ganprior.physics import masks
from ganprior.priors.architectures import ContextEncoder as Network
from ganprior.priors.architectures import initialise
from ganprior.solution import Status
from ganprior.training.context_encoder import (
    ContextEncoderRecipe,
    ContextEncoderTrainer,
    draw_masks,
    reconstruction_loss,
    train_context_encoder,
)
from tests.cases import rng, tiny_dcgan
from tests.cases_training import save_images, tiny_images
from tests.cli_cases import read_summary, refuse, succeed

SHAPE = (1, 8, 8)
RECIPE = ContextEncoderRecipe(
    images=40, steps=30, batch_size=16, filters=8, bottleneck=16, discriminator_filters=4
)


def tiny(shape=SHAPE, seed=0) -> ContextEncoder:
    """A network of random weights."""
    network = Network(shape, filters=4, bottleneck=6)
    initialise(network, rng(seed), std=0.3)
    return ContextEncoder(network, {"data_sha256": "none"})


def state_of(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


class TestLosses:
    def test_reconstruction_is_a_mean_over_hidden_pixels(self):
        x, filled = (torch.rand(3, 2, 4, 5, generator=rng(i)).double() for i in range(2))
        mask = (torch.rand(3, 1, 4, 5, generator=rng(2)) > 0.5).double()
        expected = [
            (x[i] - filled[i]).square()[(mask[i] == 0).expand(2, -1, -1)].mean() for i in range(3)
        ]
        torch.testing.assert_close(
            reconstruction_loss(x, filled, mask), torch.stack(expected).mean()
        )

    def test_what_the_network_makes_of_known_pixels_does_not_count(self):
        x = torch.rand(2, 1, 4, 4, generator=rng())
        mask = masks.center((1, 4, 4))[None].expand(2, -1, -1, -1)
        filled = torch.where(mask > 0, 7, x)
        assert reconstruction_loss(x, filled, mask) == 0

    def test_masks_are_of_all_four_kinds_and_the_seed_decides(self):
        found = draw_masks(40, (1, 28, 28), rng(3))
        assert found.shape == (40, 1, 28, 28)
        assert torch.equal(found, draw_masks(40, (1, 28, 28), rng(3)))
        hidden = (found == 0).flatten(1).float().mean(1)
        assert {round(float(share), 2) for share in hidden} == {0.25, 0.5, 0.8}
        quarter = found[(hidden - 0.25).abs() < 0.01]
        is_centre = (quarter == masks.center((1, 28, 28))).flatten(1).all(1)
        assert 0 < is_centre.sum() < len(quarter)


class TestTraining:
    def test_it_learns_to_fill_holes(self):
        """Of images of one gray each, any known pixel tells the hidden ones."""
        grays = (torch.rand(40, 1, 1, 1, generator=rng()) * 255).byte().expand(-1, *SHAPE)
        images = Images(grays, ("gray",) * 40, "grays")
        recipe = ContextEncoderRecipe(**{**vars(RECIPE), "learning_rate": 1e-2, "steps": 40})
        trainer = ContextEncoderTrainer(images, recipe)
        losses = [float(trainer.train_step()[0]) for _ in range(recipe.steps)]
        assert sum(losses[-5:]) < 0.3 * sum(losses[:5])
        assert trainer.step == recipe.steps

    def test_both_players_move_and_can_go_on(self):
        trainer = ContextEncoderTrainer(tiny_images(), RECIPE)
        players = (trainer.network, trainer.discriminator)
        before = [state_of(player) for player in players]
        trainer.train_step()
        for player, old in zip(players, before, strict=True):
            assert all(p.requires_grad for p in player.parameters())
            assert any(not torch.equal(t, old[n]) for n, t in player.state_dict().items())

    def test_the_adversarial_loss_reaches_the_network(self):
        def weights(weight):
            recipe = {**vars(RECIPE), "adversarial_weight": weight}
            trainer = ContextEncoderTrainer(tiny_images(), ContextEncoderRecipe(**recipe))
            trainer.train_step()
            return torch.cat([p.flatten() for p in trainer.network.parameters()])

        assert torch.equal(weights(0.0), weights(0.0))
        assert not torch.equal(weights(0.0), weights(0.5))

    def test_rates_fall_to_zero(self):
        trainer = ContextEncoderTrainer(tiny_images(), RECIPE)
        rates = []
        for _ in range(RECIPE.steps):
            trainer.train_step()
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])
        assert rates[: RECIPE.steps // 2] == [RECIPE.learning_rate] * (RECIPE.steps // 2)
        assert rates[-1] == pytest.approx(RECIPE.learning_rate * 2 / RECIPE.steps)

    def test_the_card_says_how(self):
        told: list[int] = []
        recipe = ContextEncoderRecipe(**{**vars(RECIPE), "steps": 2})
        trained = train_context_encoder(tiny_images(), recipe, progress=told.append)
        assert told == [1, 2]
        assert trained.card["recipe"]["steps"] == 2
        assert trained.card["training_images"] == 40
        assert trained.card["data_sha256"] == tiny_images().sha256
        assert not trained.network.training

    def test_what_it_cannot_train_on_is_refused(self):
        with pytest.raises(ValueError, match="10 images are fewer than a batch of 16"):
            ContextEncoderTrainer(tiny_images(10), RECIPE)
        with pytest.raises(ValueError, match="steps must be positive, got 0"):
            ContextEncoderRecipe(steps=0)
        with pytest.raises(ValueError, match="unknown objective"):
            ContextEncoderTrainer(
                tiny_images(), ContextEncoderRecipe(**{**vars(RECIPE), "objective": "gan"})
            )


class TestReconstructor:
    @pytest.mark.parametrize("shape", [SHAPE, (3, 9, 7)])
    def test_known_pixels_stay_and_the_others_are_the_networks(self, shape):
        method = tiny(shape)
        x = torch.rand(3, *shape, generator=rng(1))
        mask = masks.random(shape, 0.5, rng(2))
        solution = method.solve(mask * x, inpainting(mask, shape))
        known = (mask == 1).expand_as(x)
        assert torch.equal(solution.x[known], x[known])
        expected = (method.network(2 * x - 1, mask[None]) + 1) / 2
        torch.testing.assert_close(solution.x[~known], expected[~known])
        assert solution.status == (Status.CONVERGED,) * 3
        assert solution.measurement_error.tolist() == [0, 0, 0]

    def test_what_is_hidden_does_not_matter(self):
        method, mask = tiny(), masks.center(SHAPE)
        x = torch.rand(1, *SHAPE, generator=rng(1))
        other = torch.where(mask > 0, x, 1 - x)
        physics = inpainting(mask, SHAPE)
        assert torch.equal(method(physics.A(x), physics), method(physics.A(other), physics))

    def test_batch_equals_one_by_one_in_double_precision(self):
        method = tiny().train()  # Whatever mode it is put in, it fills in eval mode.
        x = torch.rand(3, *SHAPE, generator=rng(1)).double()
        mask = draw_masks(3, SHAPE, rng(4)).double()
        together = method.solve(mask * x, inpainting(mask, SHAPE)).x
        assert together.dtype == torch.float64
        for i in range(3):
            alone = method.solve(mask[i : i + 1] * x[i : i + 1], inpainting(mask[i], SHAPE)).x
            torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=1e-10)

    def test_a_signal_that_is_not_finite_disturbs_no_other(self):
        method, physics = tiny(), inpainting(masks.center(SHAPE), SHAPE)
        y = physics.A(torch.rand(3, *SHAPE, generator=rng(1)))
        clean = method.solve(y, physics)
        y[1, 0, 0, 0] = torch.nan
        solution = method.solve(y, physics)
        assert [str(s) for s in solution.status] == ["converged", "nonfinite", "converged"]
        assert torch.equal(solution.x[::2], clean.x[::2])

    def test_images_of_another_size_are_refused(self):
        mask = masks.center((1, 9, 9))
        with pytest.raises(ValueError, match=r"size \(1, 9, 9\).*those of size \(1, 8, 8\)"):
            tiny()(mask[None], inpainting(mask, (1, 9, 9)))


class TestFiles:
    def test_it_comes_back_from_its_file(self, tmp_path):
        method, physics = tiny(), inpainting(masks.center(SHAPE), SHAPE)
        method.save(tmp_path / "a-0.5.safetensors")
        loaded = ContextEncoder.load(tmp_path / "a-0.5")
        y = physics.A(torch.rand(2, *SHAPE, generator=rng(1)))
        torch.testing.assert_close(loaded(y, physics), method(y, physics), rtol=0, atol=5e-3)
        assert loaded.card["data_sha256"] == "none"
        assert len(loaded.card["weights_sha256"]) == 64
        loaded.save(tmp_path / "b")
        assert (tmp_path / "b.json").read_text() == (tmp_path / "a-0.5.json").read_text()

    def test_a_damaged_or_absent_one_is_refused(self, tmp_path):
        with pytest.raises(ValueError, match="no context encoder 'none'; give a NAME"):
            ContextEncoder.load("none")
        path = tmp_path / "a.safetensors"
        tiny().save(path)
        card = json.loads((tmp_path / "a.json").read_text())
        card["architecture"]["bottleneck"] = 5
        (tmp_path / "a.json").write_text(json.dumps(card))
        with pytest.raises(ValueError, match=r"a.safetensors is no context encoder") as caught:
            ContextEncoder.load(path)
        assert "\n" not in str(caught.value)
        path.write_bytes(b"no weights")
        with pytest.raises(ValueError, match="no context encoder of ganprior"):
            ContextEncoder.load(path)


class TestShipped:
    def test_it_fills_the_centre_better_than_interpolation(self):
        x = load_images("data/fashion_mnist_test_100.npz", limit=20).floats()
        shape = tuple(x.shape[1:])
        physics = inpainting(masks.center(shape), shape)
        y = physics.A(x)
        shipped = ContextEncoder.load("fashion-mnist")
        ours, theirs = (per_pixel_error(m(y, physics), x).mean() for m in (shipped, Biharmonic()))
        assert ours < 0.7 * theirs

    def test_it_is_small_and_of_the_data_of_the_prior(self):
        assert "fashion-mnist" in context_encoder_names()
        assert (CONTEXT_ENCODERS / "fashion-mnist.safetensors").stat().st_size < 1_500_000
        prior = Prior.load("fashion-mnist-dcgan")
        found = SolverSpec.parse("context-encoder").build(prior)
        assert found.card["data_sha256"] == prior.card["data_sha256"]
        assert found.card["training_images"] == 59_000
        assert found.card["licence"] == "MIT (Zalando SE)"

    def test_a_prior_of_other_data_has_none(self):
        with pytest.raises(ValueError, match="--solver context-encoder: no context encoder is"):
            SolverSpec.parse("context-encoder").build(tiny_dcgan())


def test_the_command_line_trains_one_and_compares_with_it(tmp_path):
    data, out = tmp_path / "images.npz", tmp_path / "ce.safetensors"
    save_images(data, tiny_images())
    small = ("--filters", "4", "--bottleneck", "6", "--steps", "2", "--device", "cpu")
    args = ("train-context-encoder", "--data", data, "--out", out)
    line = refuse(*args, *small)
    assert "40 images are fewer than a batch of 64" in line
    done = succeed(*args, *small, "--batch-size", "8", "--licence", "none")
    assert str(out) in done.stdout
    card = ContextEncoder.load(out).card
    assert (card["data"], card["licence"]) == ("images.npz", "none")
    tiny_dcgan(latent_size=4, size=8).save(tmp_path / "prior")
    spec = f"context-encoder:network={out}"
    succeed(
        "inpaint", data, "--limit", "2", "--prior", tmp_path / "prior.safetensors",
        "--mask", "center=0.25", "--solver", spec, "--out", tmp_path / "out",
    )  # fmt: skip
    assert {row["solver"] for row in read_summary(tmp_path / "out")["rows"]} == {spec}
