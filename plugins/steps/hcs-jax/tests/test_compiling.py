"""What is compiled, and that it is compiled once."""

from contextlib import contextmanager

import numpy as np
import pytest

from hcs_core.testing import require_library
from hcs_jax.memory import JaxMemory

jax = require_library("jax")

from hcs_jax import illumination, intensity, portable, thresholds  # noqa: E402 - they import jax, where it is

memory = JaxMemory()


@contextmanager
def compilations():
    """Count what XLA compiles meanwhile, by JAX's own events."""
    found = []

    def listen(event, _seconds, **_about):
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield found
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def plane(seed, shape=(19, 31)):
    return memory.from_host(np.random.default_rng(seed).integers(0, 60000, shape).astype(np.uint16))


@pytest.mark.parametrize(
    "call",
    [
        lambda image, _: portable.gaussian_blur(image, sigma=1.5, dtype="uint16"),
        lambda image, _: portable.white_tophat(image, radius=2, dtype="uint16"),
        lambda image, _: thresholds.threshold_otsu(image, dtype="uint16"),
        # Percentiles, levels, profiles and dark levels differ from well to well and from channel to channel.
        lambda image, index: intensity.percentile_normalize(image, low=1.0 + index, dtype="uint16"),
        lambda image, index: intensity.percentile_normalize(
            image, limits="well", levels=(10.0 + index, 9000.0), dtype="uint16"
        ),
        lambda image, index: illumination.flat_field(
            image, profile=np.full(image.shape, 1.0 + index, np.float32), dark=index, dtype="uint16"
        ),
    ],
    ids=["blur", "tophat", "otsu", "percentiles", "levels", "profile"],
)
def test_a_kernel_is_compiled_once_for_a_shape(call):
    # A shape that no other test has, so that nothing is there before.
    images = [plane(seed, (23, 37)) for seed in range(3)]
    with compilations() as first:
        call(images[0], 0)
    with compilations() as later:
        for index, image in enumerate(images):
            call(image, index)
    assert first
    assert later == []


def test_64_bits_are_not_enabled_after_a_kernel_that_computes_in_them():
    thresholds.threshold_otsu(plane(0))
    assert jax.numpy.zeros(1).dtype == np.float32


@pytest.mark.parametrize("name", ["gaussian_blur", "white_tophat", "max_projection", "composite"])
def test_a_list_of_parameters_or_none_is_taken(name):
    image = plane(1, (2, 9, 8)) if name in {"max_projection", "composite"} else plane(1, (9, 8))
    given = {"weights": [1.0, 3.0]} if name == "composite" else {}
    assert getattr(portable, name)(image, **given).shape == (9, 8)
