"""Of installed plugins that claim one thing, none gets it, in whatever order they are found."""

from __future__ import annotations

from itertools import permutations

import pytest

from hcs_core import ExecutorSpec, KernelSpec, ReaderSpec, Signature
from hcs_core.plugins.conflicts import conflict, rivalries
from hcs_core.plugins.kinds import KINDS
from hcs_core.plugins.registry import Owner, Registry
from hcs_core.plugins.staging import stage


@pytest.fixture
def staged(make_plugin):
    """Return a maker of installed plugins in order by themselves."""

    def make(name, **hooks):
        return stage(make_plugin(name, **hooks), Owner(plugin=name, distribution=f"hcs-{name}"), "1.0")

    return make


def reader(name):
    return ReaderSpec(name=name, target="a:b")


def kernel(memory_type, out_dtype=""):
    signature = Signature(axes="yx", out="yx", out_dtype=out_dtype)
    return KernelSpec(operation="blur", memory_type=memory_type, target="a:b", signature=signature)


def losers(items):
    return {owner.plugin: reason for owner, reason in rivalries(items).items()}


def test_one_name_claimed_twice_is_nobodys_in_any_order(staged):
    items = [
        staged("one", hcs_readers=[reader("tiff"), reader("czi")]),
        staged("two", hcs_readers=[reader("tiff")]),
        staged("apart", hcs_readers=[reader("nd2")], hcs_executors=[ExecutorSpec(name="tiff", target="a:b")]),
    ]
    for order in permutations(items):
        found = losers(order)
        assert set(found) == {"one", "two"}
        for reason in found.values():
            assert reason.startswith("the reader 'tiff' is declared by ")
            assert "plugin 'one' of hcs-one" in reason
            assert "plugin 'two' of hcs-two" in reason
            assert "neither is used; disable one of them" in reason
            assert "HCS_DISABLE=" in reason


def test_a_plugin_between_two_rivals_names_both(staged):
    found = losers(
        [
            staged("left", hcs_readers=[reader("tiff")]),
            staged("middle", hcs_readers=[reader("tiff"), reader("czi")]),
            staged("right", hcs_readers=[reader("czi")]),
        ]
    )
    assert set(found) == {"left", "middle", "right"}
    assert "hcs-left" in found["middle"]
    assert "hcs-right" in found["middle"]
    assert "hcs-right" not in found["left"]


def test_one_operation_of_two_signatures_is_nobodys_in_any_order(staged):
    items = [
        staged("one", hcs_kernels=[kernel("numpy")]),
        staged("two", hcs_kernels=[kernel("torch", "float32")]),
    ]
    for order in permutations(items):
        found = losers(order)
        assert set(found) == {"one", "two"}
        for reason in found.values():
            assert reason.startswith("the operation 'blur' is given two signatures (out_dtype) by ")


def test_one_operation_of_one_signature_is_everybodys(staged):
    items = [staged("one", hcs_kernels=[kernel("numpy")]), staged("two", hcs_kernels=[kernel("torch")])]
    assert losers(items) == {}


def test_a_plugin_is_no_rival_of_itself(staged):
    one = staged("one", hcs_kernels=[kernel("numpy"), kernel("torch", "float32")])
    assert losers([one]) == {}
    registries = {kind.word: Registry(kind, lambda *_: None, lambda *_: "") for kind in KINDS}
    reason = conflict(one, registries)
    assert "'blur/numpy' of plugin 'one' of hcs-one has another signature (out_dtype) than 'blur/torch'" in reason
