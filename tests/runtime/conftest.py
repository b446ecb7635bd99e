"""Runs on a made-up card."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zarr

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, PluginManager


@pytest.fixture
def card(monkeypatch):
    """The memory type of the card as if nothing had been done with it, a manager that has it, and ways to set it."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import card_of_the_program as module

    module.Card.reset()
    module.SEEN.clear()
    monkeypatch.setattr(module, "BATCH", [1])
    plugins = PluginManager()
    plugins.register(module.Plugin(), "card")
    plugins.discover()

    def having(**attributes):
        for name, value in attributes.items():
            monkeypatch.setattr(module.Card, name, value)

    def in_batches_of(size):
        module.BATCH[0] = size

    return SimpleNamespace(
        plugins=plugins, memory=module.Card, seen=module.SEEN, having=having, in_batches_of=in_batches_of
    )


@pytest.fixture
def run_on_card(card, tmp_path):
    """Run pipelines, of which the first may be given by its steps, with everything that can be on `cuda:0`."""

    def run(plate, *steps, output="out", more=(), wells=None, missing="error", **fields):
        config = GlobalPipelineConfig(**{"num_workers": 1, "device": "cuda:0", "missing": missing, **fields})
        orchestrator = PipelineOrchestrator(
            plate, global_config=config, plugins=card.plugins, output=tmp_path / output
        )
        return orchestrator.run([Pipeline("p", list(steps)), *more], wells)

    return run


def pixels_of(output):
    """Every array of every store of an output, by its path, read by zarr."""
    found = {}
    for store in sorted(output.glob("*.zarr")):
        for document in sorted(store.rglob("zarr.json")):
            array = zarr.open(document.parent, mode="r")
            if isinstance(array, zarr.Array):
                found[str(document.parent.relative_to(output))] = np.asarray(array[:])
    return found


@pytest.fixture
def same_pixels(tmp_path):
    """Compare every pixel of two outputs."""

    def check(one, other):
        expected = pixels_of(tmp_path / one)
        found = pixels_of(tmp_path / other)
        assert found.keys() == expected.keys() != set()
        for path, pixels in expected.items():
            np.testing.assert_array_equal(found[path], pixels, err_msg=path)

    return check
