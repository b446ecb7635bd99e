"""What stands for a function's content: another content is another version, the same one is the same everywhere."""

import functools
import subprocess
import sys

import numpy as np
import pytest

from hcs_core import step_function
from hcs_core.arrays.step_function import function_version


def made(body="image + 1", head="image", name="f", before=""):
    """A function without a source file."""
    namespace = {}
    exec(f"{before}\ndef {name}({head}):\n    return {body}", namespace)  # noqa: S102
    return namespace[name]


def test_a_declared_version_is_it():
    @step_function(version="7")
    def blur(image):
        return image

    assert function_version(blur) == "7"


def test_a_declaration_without_a_version_is_a_digest():
    @step_function()
    def blur(image):
        return image

    assert len(function_version(blur)) == 16


@pytest.mark.parametrize(
    "other",
    [
        {"body": "image + 2"},
        {"body": "image - 1"},
        {"head": "image, *, by=1"},
        {"body": "abs(image)"},
        {"body": "[item for item in image]"},
    ],
)
def test_without_a_source_the_code_tells(other):
    assert function_version(made()) == function_version(made())
    assert function_version(made()) != function_version(made(**other))


def test_nested_code_has_no_address_in_it():
    body = "list(map(lambda item: item + 1, image))"
    assert function_version(made(body)) == function_version(made(body))
    assert function_version(made(body)) != function_version(made(body.replace("1", "2")))


def test_a_source_tells():
    def one(image):
        return image + 1

    def other(image):
        return image + 2

    assert function_version(one) != function_version(other)


def test_defaults_tell():
    def with_default(value):
        def scale(image, *, by=value):
            return image * by

        return scale

    assert function_version(with_default(1.0)) == function_version(with_default(1.0))
    assert len({function_version(with_default(value)) for value in (1.0, 2.0, 1, None, "1", (1.0,), [1.0])}) == 7


def closing_over(value):
    def scale(image):
        return image * value

    return scale


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (1, 1, 2),
        ("a", "a", "b"),
        ([1, [2]], [1, [2]], [1, [3]]),
        ({"a": 1}, {"a": 1}, {"a": 2}),
        ({"a", "b", "c"}, {"c", "b", "a"}, {"a", "b"}),
        (np.arange(5), np.arange(5), np.arange(5.0)),
        (np.zeros(3000), np.zeros(3000), np.concatenate([np.zeros(1500), [1], np.zeros(1499)])),
        (np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((3, 2))),
        (np.float32(1), np.float32(1), np.float64(1)),
        (made(), made(), made("image + 2")),
        (functools.partial(made(), 3), functools.partial(made(), 3), functools.partial(made(), 4)),
        (np, np, sys),
        (int, int, float),
        (made("1").__code__, made("1").__code__, made("2").__code__),
    ],
)
def test_what_it_closes_over_tells(one, same, other):
    assert function_version(closing_over(one)) == function_version(closing_over(same))
    assert function_version(closing_over(one)) != function_version(closing_over(other))


def test_lists_in_lists_are_told_apart_from_one_list():
    assert function_version(closing_over([[1], 2])) != function_version(closing_over([[1, 2]]))
    assert function_version(closing_over(["ab"])) != function_version(closing_over(["a", "b"]))


def test_two_lambdas_on_one_line_are_two():
    pair = [lambda image: image + 1, lambda image: image * 2]  # fmt: skip
    assert function_version(pair[0]) != function_version(pair[1])


def test_partials_are_their_function_and_their_arguments():
    def scale(image, *, gain):
        return image * gain

    one = functools.partial(scale, gain=1.0)
    assert function_version(one) == function_version(functools.partial(scale, gain=1.0))
    assert function_version(one) != function_version(functools.partial(scale, gain=2.0))
    assert function_version(one) != function_version(scale)


def test_a_wrapper_is_its_own_source_and_what_it_wraps():
    def wrapped(function, by):
        @functools.wraps(function)
        def wrapper(image):
            return function(image) + by

        return wrapper

    one = function_version(wrapped(made(), 1))
    assert one == function_version(wrapped(made(), 1))
    assert (
        len(
            {
                one,
                function_version(wrapped(made(), 2)),
                function_version(wrapped(made("image"), 1)),
                function_version(made()),
            }
        )
        == 4
    )


def test_functions_that_hold_themselves():
    def recursive(image):
        return recursive(image - 1) if image else image

    def first(image):
        return second(image)

    def unbound(image):
        return later(image)

    version = function_version(unbound)

    def second(image):
        return first(image)

    def later(image):
        return image

    assert function_version(recursive) == function_version(recursive)
    assert function_version(first) == function_version(first) != function_version(second)
    assert function_version(unbound) != version


class Opaque:
    def __repr__(self):
        return "Opaque"

    def __call__(self, image):
        return image


def test_what_cannot_be_looked_into_stands_for_itself():
    one, other = Opaque(), Opaque()
    assert function_version(one) == function_version(one)
    assert function_version(one) != function_version(other)
    assert function_version(closing_over(one)) != function_version(closing_over(other))


PROGRAM = """
import functools
from hcs_core.arrays.step_function import function_version
def outer(value):
    def inner(image, *, names={"a", "b", "c", "d"}):
        return [item for item in map(lambda part: part + value, image)]
    return inner
def helper(image): return image
print(function_version(outer(helper)), function_version(functools.partial(outer(1), names=())))
class Opaque: pass
print(function_version(outer(Opaque())))
"""


def test_another_process_agrees_but_for_what_cannot_be_looked_into():
    said = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for _ in range(2)
    ]
    assert said[0][0] == said[1][0]
    assert said[0][1] != said[1][1]
