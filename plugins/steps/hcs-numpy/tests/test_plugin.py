"""What the distribution declares, and that declaring it costs nothing."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import hcs_numpy
from hcs_core import Frame, PluginManager
from hcs_numpy import plugin

KERNELS = {spec.operation: spec for spec in plugin.hcs_kernels()}
MODULES = [f"hcs_numpy.{module.name}" for module in pkgutil.iter_modules(hcs_numpy.__path__)]


def target_of(spec):
    module, _, name = spec.target.partition(":")
    return getattr(importlib.import_module(module), name)


def test_declares_its_kernels():
    manager = PluginManager(strict=True)
    manager.register(plugin, "numpy")
    assert set(manager.kernels.names()) == {
        "best_focus_projection/numpy",
        "bin/numpy",
        "composite/numpy",
        "crop/numpy",
        "flat_field/numpy",
        "gaussian_blur/numpy",
        "max_projection/numpy",
        "mean_projection/numpy",
        "median_projection/numpy",
        "percentile_normalize/numpy",
        "rescale_intensity/numpy",
        "threshold_otsu/numpy",
        "unsharp_mask/numpy",
        "white_tophat/numpy",
    }
    assert manager.check("numpy") == ()


@pytest.mark.parametrize(
    ("axes", "operations"),
    [
        ("yx", "percentile_normalize rescale_intensity flat_field gaussian_blur unsharp_mask"),
        ("yx", "white_tophat threshold_otsu crop bin"),
        ("zyx", "max_projection mean_projection median_projection best_focus_projection"),
        ("cyx", "composite"),
    ],
)
def test_a_signature_says_axes_dtypes_and_channel(axes, operations):
    for operation in operations.split():
        signature = KERNELS[operation].signature
        assert signature.axes == axes
        assert signature.out == "yx"
        assert signature.out_channel == ("composite" if axes == "cyx" else "")
        assert signature.dtypes == ("uint8", "uint16", "float32")
        assert signature.out_dtype == ("uint8" if operation == "threshold_otsu" else "")


def test_what_changes_the_frame_says_how():
    changing = {name: spec.signature.frame for name, spec in KERNELS.items() if spec.signature.frame is not None}
    assert changing == {"bin": Frame(bin="factor"), "crop": Frame(crop=("y", "x", "height", "width"))}


def test_every_operation_and_parameter_is_described_in_one_line():
    for spec in KERNELS.values():
        for text in (spec.summary, *(item.description for item in spec.signature.parameters)):
            assert text
            assert "\n" not in text


@pytest.mark.parametrize(
    ("operation", "parameter", "value"),
    [
        ("percentile_normalize", "low", -1.0),
        ("percentile_normalize", "high", 100.5),
        ("gaussian_blur", "sigma", 0.0),
        ("gaussian_blur", "sigma", float("inf")),
        ("gaussian_blur", "sigma", None),
        ("white_tophat", "radius", 0),
        ("white_tophat", "radius", 1.5),
        ("unsharp_mask", "radius", 0.0),
        ("unsharp_mask", "amount", -0.5),
        ("unsharp_mask", "amount", 1e6),
        ("flat_field", "profile", 3.0),
        ("percentile_normalize", "limits", "row"),
        ("percentile_normalize", "levels", ("a", "b")),
        ("crop", "y", -1),
        ("crop", "width", 0),
        ("crop", "height", 2.5),
        ("bin", "factor", 0),
        ("bin", "method", "median"),
        ("best_focus_projection", "measure", "sharpness"),
        ("composite", "weights", (1.0, -0.5)),
    ],
)
def test_a_signature_refuses_what_no_kernel_can_do(operation, parameter, value):
    assert KERNELS[operation].signature.parameter(parameter).problem(value)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("operation", sorted(KERNELS))
def test_every_kernel_has_an_example(operation):
    assert doctest.DocTestFinder(recurse=False).find(target_of(KERNELS[operation]))[0].examples


def test_the_examples_of_the_readme_run():
    readme = Path(__file__).parents[1] / "README.md"
    result = doctest.testfile(str(readme), module_relative=False)
    assert result.attempted
    assert result.failed == 0
