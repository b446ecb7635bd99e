"""Every portable kernel, in every array library, against the numpy kernel of its operation."""

import importlib
import itertools

import numpy as np
import pytest

from hcs_core.testing.contracts.kernel_images import CONTENTS, image
from hcs_numpy import plugin
from hcs_operations.operations import OPERATIONS

LIBRARIES = ("numpy", "array-api-strict", "torch", "jax", "jax-jit")
"""Those of the fixture `library`."""

REFERENCES = {spec.operation: spec.target for spec in plugin.hcs_kernels()}

DTYPES = ("uint8", "uint16", "float32")


def profile(picture):
    height, width = picture.shape[-2:]
    return np.add.outer(np.linspace(0, 0.5, height), np.linspace(0.6, 1.4, width))


PARAMETERS = {
    "percentile_normalize": [
        {},
        {"low": 0.0, "high": 100.0},
        {"low": 30.0, "high": 30.5},
        {"low": 49.999999, "high": 50.0},
        {"limits": "plate", "levels": (10.25, 200.75)},
        {"levels": (7.0, 7.0)},
        {"levels": (0.1, 0.100001)},
    ],
    "rescale_intensity": [
        {},
        {"low": 10.5, "high": 99.25},
        {"low": 40.0, "out_high": 3.0},
        {"high": 12.0, "out_low": 100.0, "out_high": 20.0},
        {"low": 1e6},
        {"high": -5.5},
        {"low": -1e12, "high": 1e12},
        {"out_low": -300.0, "out_high": 1e5},
    ],
    "flat_field": [{"profile": profile}, {"profile": profile, "dark": 20.3}],
    "white_tophat": [{"radius": 3}],
    "composite": [{}, {"weights": (1, 2.5, 0)}, {"weights": (1e30, 1e38, 3e37)}, {"weights": (1e-30, 2e-30, 0)}],
}
"""Parameters of operations, where not the defaults; a function is called with the image.

Filters, morphology, projections, focus and frames are tried with more of them beside this.
"""


def cases():
    """Yield every library, operation, parameters and dtype; in jax, which compiles each, fewer of them."""
    for library, (name, operation), dtype in itertools.product(LIBRARIES, OPERATIONS.items(), DTYPES):
        for number, given in enumerate(PARAMETERS.get(name, [{}])):
            traced = library == "jax-jit"
            if traced and (not operation.traceable or dtype == "uint8" or (dtype == "float32" and number)):
                continue
            if library == "jax" and (operation.traceable or number):
                continue
            yield pytest.param(library, name, given, dtype, id=f"{library}-{name}-{number}-{dtype}")


def resolved(target):
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def defaults(operation):
    return {item.name: item.default for item in operation.signature.parameters}


def told(operation, given, picture):
    """Return the parameters for an image, or `None` where they leave nothing of it."""
    values = {key: value(picture) if callable(value) else value for key, value in given.items()}
    frame = operation.signature.frame
    if frame is not None:
        try:
            frame.change(picture.shape[-2:], defaults(operation) | values)
        except ValueError:
            return None
    return values


def agree(operation, given, picture, found, what=""):
    """Check a result against the numpy kernel's, within the operation's tolerance."""
    expected = resolved(REFERENCES[operation.name])(picture, **given)
    assert found.shape == expected.shape
    tolerance = operation.signature.tolerance.at(defaults(operation) | given)
    assert tolerance.excess(found.astype(expected.dtype), expected, picture) <= 0, what
    # What is held in a wider dtype stays within the image's own.
    np.testing.assert_array_equal(found.astype(expected.dtype), found)


@pytest.mark.parametrize(("library", "name", "given", "dtype"), [*cases()], indirect=["library"])
def test_it_agrees_with_the_numpy_kernel(library, name, given, dtype):
    operation = OPERATIONS[name]
    for shape in library.shapes:
        values = told(operation, given, image(operation.signature, dtype, shape))
        if values is None:
            continue
        run = library.bound(resolved(operation.portable), dtype, values)
        for content in CONTENTS:
            picture = image(operation.signature, dtype, shape, content)
            agree(operation, values, picture, run(picture), f"{content} {shape}")


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "jax"], indirect=True)
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_several_images_at_once_are_each_what_it_is_alone(library, name, dtype):
    operation = OPERATIONS[name]
    if library.traced and (dtype == "float32" or not operation.traceable):
        pytest.skip("compiled for integers; what decides on the host cannot be")
    stack = np.stack([image(operation.signature, dtype, content=content) for content in CONTENTS])
    values = told(operation, PARAMETERS.get(name, [{}])[0], stack[0])
    run = library.bound(resolved(operation.portable), dtype, values)
    together = run(stack)
    assert together.shape[0] == len(stack)
    # A library may round otherwise in an array of another shape.
    tolerance = operation.signature.tolerance.at(defaults(operation) | values)
    for one, picture in zip(together, stack, strict=True):
        assert tolerance.excess(one, run(picture), picture) <= 0


@pytest.mark.parametrize("name", OPERATIONS)
def test_its_image_is_left_as_it_was(eager_library, name):
    operation = OPERATIONS[name]
    picture = image(operation.signature, "uint16")
    given = eager_library.array(picture)
    values = told(operation, PARAMETERS.get(name, [{}])[0], picture)
    resolved(operation.portable)(given, dtype="uint16", **values)
    np.testing.assert_array_equal(eager_library.numpy(given), picture)


NONFINITE = np.array([[1.5, np.nan, 3.0, np.inf], [-np.inf, 7.25, 2.0, 100.0]], np.float32)


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "jax"], indirect=True)
@pytest.mark.parametrize("picture", [NONFINITE, np.full((2, 3), np.nan, np.float32)], ids=["some", "all"])
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("percentile_normalize", {}),
        ("percentile_normalize", {"levels": (2.0, 8.0)}),
        ("rescale_intensity", {}),
        ("rescale_intensity", {"low": 2.0, "out_high": 5.0}),
        ("rescale_intensity", {"low": 2.0, "high": 7.0}),
        ("threshold_otsu", {}),
        ("flat_field", {"profile": np.array([[1.0, 2.0, 3.0, 2.0]] * 2)}),
        ("composite", {"weights": (1.0,)}),
    ],
)
def test_what_is_not_finite_becomes_what_it_becomes_in_numpy(library, name, given, picture):
    operation = OPERATIONS[name]
    if library.traced and not operation.traceable:
        pytest.skip("what decides on the host cannot be compiled")
    picture = picture[None] if operation.signature.axes == "cyx" else picture
    values = {key: value[:, : picture.shape[-1]] if key == "profile" else value for key, value in given.items()}
    agree(operation, values, picture, library.bound(resolved(operation.portable), "float32", values)(picture))


def test_it_says_what_numpy_says_of_what_it_cannot_do(eager_library):
    wrong = [
        ("percentile_normalize", {"low": 60.0, "high": 50.0}),
        ("percentile_normalize", {"limits": "plate"}),
        ("percentile_normalize", {"levels": (3.0, 2.0)}),
        ("rescale_intensity", {"low": 3.0, "high": 3.0}),
        ("flat_field", {}),
        ("flat_field", {"profile": np.ones((3, 3))}),
        ("flat_field", {"profile": np.array([[1.0, 0.0], [np.nan, 1.0]])}),
        ("composite", {"weights": (1.0,)}),
        ("composite", {"weights": (1.0, -1.0)}),
        ("composite", {"weights": (0.0, 0.0)}),
    ]
    for name, given in wrong:
        operation = OPERATIONS[name]
        picture = np.ones((2, 2, 2) if operation.signature.axes == "cyx" else (2, 2), np.uint8)
        with pytest.raises(ValueError, match=name) as numpys:
            resolved(REFERENCES[name])(picture, **given)
        with pytest.raises(ValueError, match=name) as portables:
            eager_library.bound(resolved(operation.portable), "uint8", given)(picture)
        assert str(portables.value) == str(numpys.value)


DISTANT = {
    "float32": np.array([[1e8, 1e8 + 8, 1e8 + 16, 1e8 + 24]], np.float32),
    "uint16": np.array([[60000, 60001, 60002, 60003]], np.uint16),
}


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "jax"], indirect=True)
@pytest.mark.parametrize("dtype", DISTANT)
@pytest.mark.parametrize("low", [0.0, 20.0, 33.0])
def test_levels_that_are_close_together_keep_their_digits(library, dtype, low):
    operation = OPERATIONS["percentile_normalize"]
    given = {"low": low, "high": low + 47.0}
    run = library.bound(resolved(operation.portable), dtype, given)
    agree(operation, given, DISTANT[dtype], run(DISTANT[dtype]))


@pytest.mark.parametrize("library", [name for name in LIBRARIES if name != "jax"], indirect=True)
def test_random_percentiles_are_within_a_level(library):
    operation = OPERATIONS["percentile_normalize"]
    random = np.random.default_rng(3)
    for _ in range(2 if library.traced else 12):
        low, high = np.sort(random.uniform(0, 100, 2)).tolist()
        run = library.bound(resolved(operation.portable), "uint16", {"low": low, "high": high})
        for picture in (random.integers(0, 65536, (4, 4)), random.integers(1000, 1004, (4, 4))):
            agree(operation, {"low": low, "high": high}, picture.astype("uint16"), run(picture.astype("uint16")))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_threshold_is_numpys_to_the_last_pixel(eager_library, dtype):
    operation = OPERATIONS["threshold_otsu"]
    random = np.random.default_rng(5)
    run = eager_library.bound(resolved(operation.portable), dtype, {})
    for spread in (3, 40, 250):
        picture = (
            (random.normal(100, spread, (40, 31)) + random.integers(0, 2, (40, 31)) * 90).clip(0, 255).astype(dtype)
        )
        np.testing.assert_array_equal(run(picture), resolved(REFERENCES["threshold_otsu"])(picture))


def test_a_profile_may_be_there_already(eager_library):
    picture = image(OPERATIONS["flat_field"].signature, "uint16")
    light = profile(picture).astype(np.float32)
    kernel = resolved(OPERATIONS["flat_field"].portable)
    found = eager_library.numpy(
        kernel(eager_library.array(picture), profile=eager_library.array(light), dtype="uint16")
    )
    agree(OPERATIONS["flat_field"], {"profile": light}, picture, found)
    light[3, 5] = 0
    with pytest.raises(
        ValueError, match="1 of 391 values that are not finite numbers above 0, the first, 0, at y=3, x=5"
    ):
        kernel(eager_library.array(picture), profile=eager_library.array(light), dtype="uint16")
