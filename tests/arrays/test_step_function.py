"""Functions of one's own as steps: what is declared, read from the function itself, or refused in a sentence."""

from __future__ import annotations

import functools
import pickle
from typing import TYPE_CHECKING, Any, Optional

import cloudpickle
import numpy as np
import numpy.typing as npt
import pytest

from hcs_core import Frame, Made, Parameter, PipelineError, Taken, step_function
from hcs_core.arrays.step_function import declared

if TYPE_CHECKING:
    from nowhere_at_all import Image


def parameters(function):
    return {item.name: item for item in declared(step_function()(function)).signature.parameters}


def every_kind(
    image: Image,
    *,
    whole: int,
    number: float,
    flag: bool,
    text: str,
    listed: tuple[float, ...],
    whole_with: int = 3,
    number_with: float = 2,
    flag_with: bool = True,
    text_with: str = "a",
    listed_with: tuple[float, ...] = (1.0, 2),
    perhaps: float | None = None,
    perhaps_too: Optional[int] = None,  # noqa: UP045 - people write it
    bare=7,
    bare_flag=False,
    bare_number=1.5,
    bare_text="x",
    bare_listed=(1, 2),
):
    return image


EXPECTED = {
    "whole": ("int", True, None),
    "number": ("float", True, None),
    "flag": ("bool", True, None),
    "text": ("str", True, None),
    "listed": ("floats", True, None),
    "whole_with": ("int", False, 3),
    "number_with": ("float", False, 2),
    "flag_with": ("bool", False, True),
    "text_with": ("str", False, "a"),
    "listed_with": ("floats", False, (1.0, 2)),
    "perhaps": ("float", False, None),
    "perhaps_too": ("int", False, None),
    "bare": ("int", False, 7),
    "bare_flag": ("bool", False, False),
    "bare_number": ("float", False, 1.5),
    "bare_text": ("str", False, "x"),
    "bare_listed": ("floats", False, (1, 2)),
}


def test_every_kind_of_parameter_where_annotations_are_texts_and_one_cannot_be_evaluated():
    found = parameters(every_kind)
    assert {name: (item.kind, item.required, item.default) for name, item in found.items()} == EXPECTED


def test_every_kind_of_parameter_where_annotations_are_objects():
    namespace = {"Optional": Optional}
    body = ", ".join(
        f"{name}: {annotation}" + ("" if required else f" = {default!r}")
        for name, annotation, required, default in (
            ("whole", "int", True, None),
            ("number", "float", True, None),
            ("listed", "tuple[float, ...]", True, None),
            ("listed_bare", "tuple", True, None),
            ("perhaps", "float | None", False, None),
            ("perhaps_too", "Optional[int]", False, None),
        )
    )
    exec(f"def f(image, *, {body}): return image", namespace)  # noqa: S102 - without the future import of this file
    found = parameters(namespace["f"])
    assert [item.kind for item in found.values()] == ["int", "float", "floats", "floats", "float", "int"]
    assert [item.required for item in found.values()] == [True, True, True, True, False, False]


def test_a_function_stays_the_function():
    def blur(image, *, sigma: float = 1.0):
        return image * sigma

    marked = step_function(memory="torch", axes="zyx", out="yx", out_dtype="float32", version="3")(blur)
    assert marked is blur
    assert marked(2, sigma=3) == 6
    found = declared(blur)
    assert (found.memory_type, found.version) == ("torch", "3")
    assert (found.signature.axes, found.signature.out, found.signature.out_dtype) == ("zyx", "yx", "float32")
    assert found.signature.parameters == (Parameter(name="sigma", kind="float", default=1.0),)


def test_what_it_returns_has_the_axes_that_it_got_unless_said():
    assert declared(step_function(axes="czyx")(lambda image: image)).signature.out == "czyx"


def test_it_refuses_nan_unless_it_takes_them():
    assert declared(step_function()(lambda image: image)).signature.nonfinite == "refuse"
    assert declared(step_function(nonfinite="takes")(lambda image: image)).signature.nonfinite == "takes"


def test_nothing_is_declared_of_other_functions():
    assert declared(np.sum) is None
    assert declared(lambda image: image) is None


def test_lambdas_and_partials_can_be_declared():
    assert parameters(lambda image, *, gain=2.0: image * gain)["gain"].kind == "float"

    def scale(image, *, gain: float, offset: float = 0.0):
        return image * gain + offset

    marked = step_function()(functools.partial(scale, gain=2.0))
    found = {item.name: item.default for item in declared(marked).signature.parameters}
    assert found == {"gain": 2.0, "offset": 0.0}
    assert declared(scale) is None


def test_a_callable_object_can_be_declared():
    class Scale:
        def __call__(self, image, *, gain: float = 2.0):
            return image * gain

    assert parameters(Scale())["gain"].default == 2.0


def test_a_decorated_function_is_still_declared():
    @step_function(axes="yx")
    def blur(image):
        return image

    @functools.wraps(blur)
    def logged(image):
        return blur(image)

    assert declared(logged) == declared(blur)


def test_a_declaration_travels_to_a_worker():
    @step_function(axes="yx", version="1")
    def blur(image, *, sigma: float = 1.0):
        return image

    copy = pickle.loads(cloudpickle.dumps(blur))  # noqa: S301 - written in this line
    assert declared(copy) == declared(blur)


def refuse(function, words, **options):
    with pytest.raises(PipelineError) as caught:
        step_function(**options)(function)
    assert words in str(caught.value)
    assert "step function" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parameters_that_cannot_be_told_are_refused_with_the_line_to_write():
    def positional(image, sigma=1.0):
        return image

    def untyped(image, *, sigma):
        return image

    def odd(image, *, sigma: dict):
        return image

    def several(image, *, sigma: int | str):
        return image

    def many(image, *sigmas: float):
        return image

    def open_ended(image, **options: float):
        return image

    for function in (positional, untyped, odd, several):
        refuse(
            function, f"the parameter 'sigma' must be a keyword with a type, as in `def {function.__name__}(image, *,"
        )
    refuse(many, "the parameter 'sigmas' must be a keyword")
    refuse(open_ended, "the parameter 'options' must be a keyword")


def test_a_function_without_an_image_is_refused():
    def nothing():
        return None

    def keyword(*, image):
        return image

    for function in (nothing, keyword, lambda *images: images[0]):
        refuse(function, "its first argument must be the image")


def test_a_step_s_own_words_are_no_parameters():
    def blur(image, *, memory: float = 1.0):
        return image

    refuse(blur, "'memory' is an option of every step")


def test_a_default_that_its_own_type_refuses():
    def blur(image, *, sigma: float = "big"):
        return image

    refuse(blur, "the default of 'sigma' is not allowed")


def test_functions_that_cannot_be_marked_or_looked_into():
    class Made:
        def method(self, image):
            return image

    refuse(Made().method, "it cannot be marked: write a function of your own around it")
    refuse(min, "write a function of your own around it")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"axes": "xy"}, "axes='xy'"),
        ({"axes": "qyx"}, "axes='qyx'"),
        ({"axes": "yx", "out": "zyx"}, "out='zyx' has an axis"),
        ({"axes": "cyx", "out": "yx"}, "out_channel names the channel"),
        ({"axes": "syx", "out": "yx"}, "cannot reduce 's'"),
        ({"missing": "perhaps"}, "missing='perhaps': expected refuse or mask"),
        ({"nonfinite": "mask"}, "nonfinite='mask': expected refuse or takes"),
        ({"dtypes": "uint8"}, "expected a tuple of dtypes"),
        ({"dtypes": ("unit8",)}, "'unit8' is no dtype"),
        ({"out_dtype": "flaot32"}, "'flaot32' is no dtype"),
        ({"out_dtype": "float"}, "'float' is no dtype"),
    ],
)
def test_a_declaration_that_no_runtime_could_follow(options, words):
    refuse(lambda image: image, words, **options)


def test_a_signature_of_a_declared_function_takes_stacks():
    def masked(image, *, present):
        return image[present].sum(axis=0)

    step_function(axes="cyx", out="yx", out_channel="sum", missing="mask")(masked)
    signature = declared(masked).signature
    assert signature.parameters == ()
    assert (signature.reduced, signature.out_channel, signature.missing) == (frozenset("c"), "sum", "mask")


def test_a_function_that_masks_is_told_what_is_there():
    refuse(lambda image: image, "it must take the keyword 'present'", axes="cyx", missing="mask")


def test_a_function_can_take_an_image_and_change_the_frame():
    @step_function(frame=Frame(bin="by"))
    def thin(image, *, by: int = 2, profile: npt.NDArray[Any]):
        return image

    signature = declared(thin).signature
    assert [(item.name, item.kind, item.required) for item in signature.parameters] == [
        ("by", "int", False),
        ("profile", "image", True),
    ]
    assert signature.frame.change((4, 6), {"by": 2}).shape == (2, 3)


def test_artifacts_are_declared_by_name_and_kind():
    @step_function(axes="yx", out="", makes={"spots": "table", "facts": "json"})
    def measure(image, *, level: float = 1.0):
        return {}, level

    signature = declared(measure).signature
    assert signature.makes == (Made(name="spots", kind="table"), Made(name="facts", kind="json"))
    assert signature.passes_on
    assert [item.name for item in signature.parameters] == ["level"]


def test_what_the_runtime_tells_is_no_parameter():
    @step_function(takes={"spots": "table"}, context=True)
    def count(image, *, spots, context, level: float = 1.0):
        return image

    signature = declared(count).signature
    assert signature.takes == (Taken(keyword="spots", kind="table"),)
    assert signature.context
    assert [item.name for item in signature.parameters] == ["level"]

    @step_function(takes=[Taken(keyword="mask", kind="image", name="nuclei")])
    def cut(image, *, mask):
        return image

    assert declared(cut).signature.takes[0].default == "nuclei"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"takes": {"spots": "table"}}, "'spots'"),
        ({"context": True}, "'context'"),
        ({"makes": {"a": "b"}}, "kind='b'"),
    ],
)
def test_a_function_that_cannot_be_told_what_it_asks_for_is_refused(options, word):
    def plain(image):
        return image

    with pytest.raises(PipelineError, match=word):
        step_function(**options)(plain)
