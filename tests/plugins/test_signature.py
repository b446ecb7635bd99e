"""A parameter judges values, a signature judges itself."""

from __future__ import annotations

import math

import pytest

from hcs_core import Frame, GivenImage, MissingPolicy, Parameter, Signature
from hcs_core.plugins.parameter import RESERVED

SIGMA = Parameter(name="sigma", kind="float", default=1.0, above=0.0, maximum=50.0)
RADIUS = Parameter(name="radius", kind="int", default=3, minimum=1, maximum=9)
WEIGHTS = Parameter(name="weights", kind="floats", minimum=0.0)
SHAPE = Parameter(name="shape", kind="str", default="disk", choices=("disk", "square"))
FLAG = Parameter(name="flag", kind="bool", default=False)
NEEDED = Parameter(name="needed", kind="float", required=True)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (SIGMA, 1), (SIGMA, 50.0), (SIGMA, 1e-9),
        (RADIUS, 1), (RADIUS, 9),
        (WEIGHTS, ()), (WEIGHTS, (0, 1.5)), (WEIGHTS, None),
        (SHAPE, "square"), (FLAG, True), (NEEDED, -3.0),
    ],
)  # fmt: skip
def test_what_fits_has_no_problem(parameter, value):
    assert parameter.problem(value) is None


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (SIGMA, 0.0), (SIGMA, 50.1), (SIGMA, math.nan), (SIGMA, math.inf), (SIGMA, "1"), (SIGMA, None), (SIGMA, True),
        (RADIUS, 0), (RADIUS, 10), (RADIUS, 3.0), (RADIUS, True),
        (WEIGHTS, (1.0, -0.1)), (WEIGHTS, (1.0, math.nan)), (WEIGHTS, [1.0]), (WEIGHTS, (True,)), (WEIGHTS, 1.0),
        (SHAPE, "ring"), (SHAPE, 1), (FLAG, 1), (FLAG, "true"),
        (NEEDED, None), (NEEDED, math.nan),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_what_was_expected(parameter, value):
    problem = parameter.problem(value)
    assert problem == f"expected {parameter.expected()}, found {value!r}"


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (SIGMA, "a number above 0 and at most 50"),
        (RADIUS, "a whole number at least 1 and at most 9"),
        (WEIGHTS, "a list of numbers at least 0"),
        (SHAPE, "one of disk, square"),
        (FLAG, "true or false"),
    ],
)
def test_what_is_expected_is_said_in_words(parameter, words):
    assert parameter.expected() == words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "float", "default": "1"}, "the default of 'x' is not allowed: expected a number, found '1'"),
        ({"kind": "int", "default": 0, "minimum": 1}, "the default of 'x' is not allowed"),
        ({"kind": "float", "default": math.nan}, "the default of 'x' is not allowed"),
        ({"kind": "float", "default": 1.0, "required": True}, "one or the other"),
        ({"kind": "float", "minimum": 2, "maximum": 1}, "minimum=2 over maximum=1"),
        ({"kind": "int", "choices": ("1", "2")}, "only a 'str'"),
        ({"kind": "number"}, "kind"),
    ],
)
def test_a_parameter_that_contradicts_itself_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Parameter(name="x", **arguments)


@pytest.mark.parametrize("name", ["", "two words", "1st", None])
def test_a_parameter_is_a_keyword(name):
    with pytest.raises(ValueError, match="expected the name of a keyword"):
        Parameter(name=name, kind="int")


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_steps_own_options_are_no_parameters(name):
    with pytest.raises(ValueError, match="option of every step"):
        Parameter(name=name, kind="int")


def test_the_reserved_words_are_those_of_the_public_interface():
    words = "name, group_by, variable_components, input, save, wells, memory, device, enabled"
    assert tuple(words.split(", ")) == RESERVED


@pytest.mark.parametrize("axes", ["yx", "zyx", "cyx", "syx", "tyx", "czyx", "stczyx"])
def test_axes_that_end_in_a_plane_are_taken(axes):
    assert Signature(axes=axes, out=axes).plane_wise is (axes == "yx")


@pytest.mark.parametrize("axes", ["", "y", "xy", "yxz", "zzyx", "ayx", "YX"])
def test_axes_that_are_no_image_are_refused(axes):
    with pytest.raises(ValueError, match=r"axes=.*expected letters"):
        Signature(axes=axes, out="yx")


@pytest.mark.parametrize(
    ("axes", "out", "message"),
    [
        ("yx", "zyx", "can only reduce axes"),
        ("czyx", "zcyx", "keep the order"),
        ("syx", "yx", "cannot reduce 's'"),
        ("cyx", "yx", "out_channel"),
    ],
)
def test_an_output_that_no_runtime_could_place_is_refused(axes, out, message):
    with pytest.raises(ValueError, match=message):
        Signature(axes=axes, out=out)


def test_a_reduced_channel_has_a_name_and_only_then():
    assert Signature(axes="cyx", out="yx", out_channel="composite").reduced == frozenset("c")
    with pytest.raises(ValueError, match="out_channel"):
        Signature(axes="zyx", out="yx", out_channel="composite")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": (SIGMA, RADIUS, SIGMA)}, "sigma more than once"),
        ({"parameters": [SIGMA]}, "a tuple of Parameter"),
        ({"parameters": ("sigma",)}, "a tuple of Parameter"),
        ({"dtypes": "uint8"}, "a tuple of dtypes"),
        ({"dtypes": ()}, "a tuple of dtypes"),
        ({"dtypes": ("uint8", "unit16")}, "'unit16' is no dtype"),
        ({"out_dtype": "flaot32"}, "'flaot32' is no dtype"),
    ],
)
def test_a_signature_is_made_of_values(arguments, message):
    with pytest.raises(ValueError, match=message):
        Signature(axes="yx", out="yx", **arguments)


def test_a_missing_policy_is_one_of_the_two():
    assert Signature(axes="yx", out="yx", missing=MissingPolicy.MASK).missing is MissingPolicy.MASK
    with pytest.raises(TypeError, match="missing"):
        Signature(axes="yx", out="yx", missing="fill")


def test_a_parameter_is_found_by_its_name():
    signature = Signature(axes="yx", out="yx", parameters=(SIGMA, RADIUS))
    assert signature.parameter("radius") is RADIUS
    assert signature.parameter("sigm") is None


def test_a_bin_drops_what_is_left_over_and_moves_the_first_centre():
    change = Frame(bin="factor").change((7, 9), {"factor": 3})
    assert (change.shape, change.scale, change.origin) == ((2, 3), 3, (1.0, 1.0))
    assert Frame(bin="factor").change((8, 8), {"factor": 2}).origin == (0.5, 0.5)


def test_a_crop_goes_to_the_end_where_it_is_not_told_how_far():
    crop = Frame(crop=("y", "x", "height", "width"))
    change = crop.change((7, 9), {"y": 2, "x": 0, "height": None, "width": 4})
    assert (change.shape, change.scale, change.origin) == ((5, 4), 1, (2.0, 0.0))


@pytest.mark.parametrize(
    ("frame", "parameters"),
    [
        (Frame(bin="factor"), {"factor": 8}),
        (Frame(bin="factor"), {"factor": 0}),
        (Frame(bin="factor"), {"factor": None}),
        (Frame(crop=("y", "x", "h", "w")), {"y": 7, "x": 0, "h": None, "w": None}),
        (Frame(crop=("y", "x", "h", "w")), {"y": 0, "x": 1, "h": 7, "w": 9}),
        (Frame(crop=("y", "x", "h", "w")), {"y": -1, "x": 0, "h": 2, "w": 2}),
    ],
)
def test_a_frame_that_leaves_nothing_or_lies_outside_is_refused(frame, parameters):
    with pytest.raises(ValueError, match=r"leaves nothing|does not lie within|whole number"):
        frame.change((7, 9), parameters)


def test_a_frame_names_parameters_that_are_there():
    factor = Parameter(name="factor", kind="int", default=2, minimum=1)
    assert Signature(axes="yx", out="yx", parameters=(factor,), frame=Frame(bin="factor")).frame
    with pytest.raises(ValueError, match="no parameter"):
        Signature(axes="yx", out="yx", parameters=(factor,), frame=Frame(bin="by"))
    with pytest.raises(ValueError, match="bin"):
        Frame()


def test_an_image_is_given_by_its_path_or_itself():
    profile = Parameter(name="profile", kind="image", required=True)
    assert profile.problem("flat.tif") is None
    assert profile.problem(GivenImage("digest", pixels=None)) is None
    assert "path of an image file" in profile.problem(3.0)


def test_a_kernel_that_masks_has_no_parameter_called_present():
    present = Parameter(name="present", kind="bool", default=True)
    with pytest.raises(ValueError, match="present"):
        Signature(axes="cyx", out="cyx", parameters=(present,), missing=MissingPolicy.MASK)


def test_only_an_image_is_like_a_plane():
    assert Parameter(name="profile", kind="image", required=True, like_plane=True).like_plane
    with pytest.raises(ValueError, match="only an 'image' can be"):
        Parameter(name="sigma", kind="float", default=1.0, like_plane=True)
