"""A spec refuses what nothing could use, and says what was expected."""

from __future__ import annotations

import pickle

import attrs
import pytest

from hcs_core import (
    CompilerPassSpec,
    ConverterSpec,
    KernelSpec,
    MemoryTypeSpec,
    MicroscopeSpec,
    ReaderSpec,
    Signature,
    WriterSpec,
)
from hcs_core.plugins.kinds import KINDS

PLANE = Signature(axes="yx", out="yx")


@pytest.mark.parametrize(
    "target", ["", "module", "module:", ":name", "a b:c", "a..b:c", "a.:c", "a:b.", "1a:b", None]
)
def test_a_target_that_is_no_import_path_is_refused(target):
    with pytest.raises(ValueError, match=r"expected 'package\.module:attribute'"):
        ReaderSpec(name="tiff", target=target)


@pytest.mark.parametrize("target", ["module:name", "package.module:Class.method", "_private:_name"])
def test_an_import_path_is_taken(target):
    assert ReaderSpec(name="tiff", target=target).target == target


@pytest.mark.parametrize("name", ["", "Tiff", "9tiff", "ti ff", "ti-ff", "_tiff", None])
def test_a_name_that_nobody_could_type_is_refused(name):
    with pytest.raises(ValueError, match="expected lower-case letters"):
        ReaderSpec(name=name, target="a:b")


@pytest.mark.parametrize("markers", ["*.HTD", ["*.HTD"], ("",), (1,)])
def test_markers_are_a_tuple_of_texts(markers):
    with pytest.raises(ValueError, match="expected a tuple of texts"):
        MicroscopeSpec(name="mine", target="a:b", markers=markers)


def test_passes_are_named_in_tuples():
    with pytest.raises(ValueError, match="after='paths'"):
        CompilerPassSpec(name="mine", target="a:b", after="paths")
    with pytest.raises(ValueError, match="before='paths'"):
        CompilerPassSpec(name="mine", target="a:b", before="paths")


def test_a_layout_writer_is_optional_and_else_a_target():
    assert MicroscopeSpec(name="mine", target="a:b", markers=()).layout_writer == ""
    with pytest.raises(ValueError, match="layout_writer='writer'"):
        MicroscopeSpec(name="mine", target="a:b", markers=(), layout_writer="writer")


@pytest.mark.parametrize("suffix", ["csv", "", ".", None])
def test_a_suffix_has_its_dot(suffix):
    with pytest.raises(ValueError, match=r"such as '\.csv'"):
        WriterSpec(name="table", kind="table", target="a:b", suffix=suffix)


@pytest.mark.parametrize("library", ["", None])
def test_a_memory_type_names_its_library(library):
    with pytest.raises(ValueError, match="library"):
        MemoryTypeSpec(name="mlx", target="a:b", library=library)


def test_a_converter_joins_two_memory_types_and_is_named_after_them():
    assert ConverterSpec(source="torch", destination="numpy", target="a:b").name == "torch->numpy"
    with pytest.raises(ValueError, match="both 'torch'"):
        ConverterSpec(source="torch", destination="torch", target="a:b")


def test_a_kernel_is_named_after_its_operation_and_memory_type():
    assert KernelSpec(operation="blur", memory_type="torch", target="a:b", signature=PLANE).name == "blur/torch"


@pytest.mark.parametrize(("field", "value"), [("version", ""), ("version", 2), ("signature", "yx -> yx")])
def test_a_kernel_has_a_version_and_a_signature(field, value):
    arguments = {"operation": "blur", "memory_type": "numpy", "target": "a:b", "signature": PLANE, field: value}
    with pytest.raises((ValueError, TypeError), match=field):
        KernelSpec(**arguments)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
def test_specs_are_frozen_and_by_keyword(kind):
    assert all(field.kw_only for field in attrs.fields(kind.spec))
    assert kind.spec.__setattr__ is not object.__setattr__
    assert kind.hook == f"hcs_{kind.word}"


def test_a_spec_is_a_value():
    spec = KernelSpec(operation="blur", memory_type="numpy", target="a:b", signature=PLANE)
    assert pickle.loads(pickle.dumps(spec)) == spec  # noqa: S301 - made two lines above
    assert len({spec, attrs.evolve(spec)}) == 1
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        spec.operation = "other"
