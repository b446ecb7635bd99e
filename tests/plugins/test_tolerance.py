"""How far two results may be apart."""

import math

import numpy as np
import pytest

from hcs_core import Parameter, Signature, Tolerance

AMOUNT = Parameter(name="amount", kind="float", default=1.0, description="a number")


@pytest.mark.parametrize(
    ("found", "expected", "excess"), [([5], [7], 1.0), ([5, 200], [6, 200], 0.0), ([0], [255], 254.0)]
)
def test_integers_differ_in_levels(found, expected, excess):
    # Without the wrapping of uint8.
    assert Tolerance(levels=1).excess(np.array(found, "uint8"), np.array(expected, "uint8")) == excess


def test_floats_differ_relative_to_the_largest_value():
    found, expected = np.array([2.0, 100.5]), np.array([2.0, 100.0])
    assert Tolerance(relative=0.01).excess(found, expected) == pytest.approx(-0.5)
    assert Tolerance(relative=0.001).excess(found, expected) == pytest.approx(0.4)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_has_to_be_the_same(value):
    there, elsewhere = np.array([value, 1.0]), np.array([3.0, 1.0])
    assert Tolerance().excess(there, there.copy()) <= 0
    assert Tolerance().excess(there, elsewhere) == math.inf
    assert Tolerance().excess(elsewhere, there) == math.inf


def test_nothing_differs_by_nothing():
    assert Tolerance().excess(np.empty(0), np.empty(0)) == 0


def test_it_grows_with_a_parameter():
    grown = Tolerance(levels=1, relative=0.5, grows_with="amount").at({"amount": 3.0, "radius": 9.0})
    assert (grown.levels, grown.relative, grown.grows_with) == (4.0, 2.0, "")
    assert Tolerance(levels=1).at({}) == Tolerance(levels=1)


def test_pixels_of_floats_may_fall_to_another_side_of_a_threshold():
    image = np.array([0.0, 50.0, 50.2, 50.9, 100.0], np.float32)
    expected = np.array([0, 0, 0, 255, 255], np.uint8)
    tolerance = Tolerance(input_range=0.01)
    assert tolerance.excess(np.array([0, 0, 255, 255, 255], np.uint8), expected, image) <= 0
    assert tolerance.excess(np.array([0, 255, 255, 0, 255], np.uint8), expected, image) <= 0
    assert tolerance.excess(np.array([255, 255, 255, 255, 255], np.uint8), expected, image) > 0
    # Of integers there is no such room.
    assert tolerance.excess(np.array([0, 0, 255, 255, 255], np.uint8), expected, image.astype(np.uint8)) == 255


@pytest.mark.parametrize("given", [{"levels": -1.0}, {"relative": math.nan}, {"levels": "1"}, {"input_range": True}])
def test_what_is_no_limit_is_refused(given):
    with pytest.raises(ValueError, match="expected a number of at least 0"):
        Tolerance(**given)


def test_a_signature_knows_what_it_grows_with():
    with pytest.raises(ValueError, match="tolerance grows with 'amount', which is no parameter"):
        Signature(axes="yx", out="yx", tolerance=Tolerance(grows_with="amount"))
    assert Signature(axes="yx", out="yx", parameters=(AMOUNT,), tolerance=Tolerance(grows_with="amount"))


@pytest.mark.parametrize(
    ("tolerance", "words"),
    [
        (Tolerance(relative=0.0), "exactly"),
        (Tolerance(levels=2), "within 2 grey levels on integers, within 1e-05 of the largest value on floats"),
        (
            Tolerance(levels=1, relative=0.0, grows_with="amount"),
            "within 1 grey level on integers, exactly on floats; both times 1 + amount",
        ),
    ],
)
def test_it_says_what_it_allows(tolerance, words):
    assert str(tolerance) == words
