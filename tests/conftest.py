"""What every test runs under."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Banks of starts go to a folder of this run, also those of child processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANPRIOR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
