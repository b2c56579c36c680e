"""What every test runs under."""

from __future__ import annotations

import os

import pytest
import torch


def pytest_configure(config: pytest.Config) -> None:
    """Tests that run side by side share the processors: one thread each, child processes too."""
    if getattr(config.option, "numprocesses", None) or hasattr(config, "workerinput"):
        os.environ["OMP_NUM_THREADS"] = "1"
        torch.set_num_threads(1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Weights that a test leaves to the global generators are the same in every run of it."""
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Banks of starts go to a folder of this run, also those of child processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANPRIOR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
