"""What positions are, which stitcher is meant, and what it is called with."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hcs_core import Parameter, PluginManager, RunError, StitcherSpec, TilePositions, UnknownNameError, hookimpl
from hcs_core.plugins.stitcher_choice import chosen_stitcher
from hcs_core.runtime.stitcher import checked_parameters, new_stitcher


def plugins_with(*specs):
    @hookimpl
    def hcs_stitchers():
        yield from specs

    manager = PluginManager(strict=True)
    manager.register(SimpleNamespace(hcs_api=1, hcs_stitchers=hcs_stitchers), name="test")
    return manager


def spec(name, **facts):
    return StitcherSpec(name=name, target="nowhere:Nothing", **facts)


@pytest.mark.parametrize(
    ("yx", "confidence", "message"),
    [
        ([[0, 0]], [0.5, 0.5], r"shape \(1, 2\) with confidences of shape \(2,\): expected"),
        ([0, 0], [0.5], r"shape \(2,\)"),
        ([[0, np.nan]], [0.5], "a position is not finite"),
        ([[0, 0]], [1.5], "not from 0 to 1"),
        ([[0, 0]], [np.nan], "not from 0 to 1"),
    ],
)
def test_what_are_no_positions_is_refused(yx, confidence, message):
    with pytest.raises(ValueError, match=message):
        TilePositions(yx=yx, confidence=confidence)


def test_positions_are_float64_whatever_they_were():
    found = TilePositions(yx=[(1, 2), (3, 4)], confidence=np.zeros(2, np.float32))
    assert (found.yx.dtype, found.confidence.dtype) == (np.float64, np.float64)
    assert found.yx.tolist() == [[1, 2], [3, 4]]


def test_the_one_that_is_installed_is_meant():
    assert chosen_stitcher(plugins_with(spec("other")).stitchers).name == "other"


def test_of_several_the_one_that_looks_at_images_is_meant():
    plugins = plugins_with(spec("aaa"), spec("registering", needs_pixels=True), spec("plain"))
    assert chosen_stitcher(plugins.stitchers).name == "registering"
    assert chosen_stitcher(plugins.stitchers, "plain").name == "plain"


def test_where_none_is_installed_it_is_said_what_to_install():
    with pytest.raises(UnknownNameError, match=r"no stitcher is called 'plain'.*hcs-engine\[standard\]"):
        new_stitcher(PluginManager())


def test_an_unknown_one_is_told_with_the_nearest(installed):
    with pytest.raises(UnknownNameError, match=r"'plian'. Did you mean 'plain'\?"):
        new_stitcher(installed, "plian")


DECLARED = (
    Parameter(name="max_shift", kind="float", default=30.0, minimum=0.0),
    Parameter(name="method", kind="str", required=True, choices=("a", "b")),
)


def test_defaults_are_filled_in():
    assert checked_parameters("s", DECLARED, {"method": "b"}) == {"max_shift": 30.0, "method": "b"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "a", "maxshift": 1}, "the stitcher 's' has no parameter 'maxshift'. Did you mean 'max_shift'?"),
        ({}, "the stitcher 's' needs method=one of a, b."),
        ({"method": "c"}, "the parameter 'method' of the stitcher 's' is wrong: expected one of a, b, found 'c'."),
        ({"method": "a", "max_shift": -1}, "expected a number at least 0, found -1."),
    ],
)
def test_a_wrong_parameter_is_told(given, message):
    with pytest.raises(RunError) as error:
        checked_parameters("s", DECLARED, given)
    assert message in str(error.value)


@pytest.mark.parametrize("field", ["positions", "fusion"])
@pytest.mark.parametrize("name", ["tiles", "nominal_yx", "positions_yx", "shape", "well", "channel"])
def test_a_parameter_cannot_be_called_as_what_every_stitcher_gets(field, name):
    with pytest.raises(ValueError, match=f"{name!r} is told to every stitcher: give the parameter another name"):
        spec("s", **{field: (Parameter(name=name, kind="int", default=1),)})
