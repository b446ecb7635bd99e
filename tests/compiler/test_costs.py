"""Measured costs as a value and as a file: what is kept comes back, what does not count any more is left out."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given, strategies as st

from hcs_core import Costs
from hcs_core.compiler.choice.costs import KernelCost, LibraryCost, MeasuredOn, RouteCost
from hcs_core.compiler.choice.costs_file import costs_path, costs_text, read_costs, this_hardware
from hcs_core.compiler.machine import this_machine
from hcs_core.compiler.place import Place

SECONDS = st.floats(0, 1e3, allow_nan=False)
NAMES = st.sampled_from(["numpy", "torch", "jax"])
DEVICES = st.sampled_from(["cpu", "cuda:0", "cuda:1"])
COSTS = st.builds(
    Costs,
    measured_on=st.builds(MeasuredOn, processor=st.text(), cores=st.integers(1, 99), cards=st.just(("one", "two"))),
    measured_at=st.just("2026-01-02T03:04:05+00:00"),
    libraries=st.lists(
        st.builds(
            LibraryCost,
            memory_type=NAMES,
            library=NAMES,
            version=st.text(),
            start_seconds=SECONDS,
            devices=st.lists(DEVICES, unique=True).map(tuple),
        )
    ).map(tuple),
    kernels=st.lists(
        st.builds(
            KernelCost,
            kernel=NAMES.map("blur/{}".format),
            version=st.text(),
            device=DEVICES,
            dtype=st.sampled_from(["uint8", "uint16"]),
            seconds_per_megapixel=SECONDS,
        )
    ).map(tuple),
    routes=st.lists(
        st.builds(
            RouteCost,
            source=NAMES,
            destination=NAMES,
            device=DEVICES,
            dtype=st.just("uint16"),
            seconds_per_megabyte=SECONDS,
        )
    ).map(tuple),
)


def library(name, version="1", devices=("cpu",), start=0.0):
    return LibraryCost(memory_type=name, library=name, version=version, start_seconds=start, devices=devices)


def kernel(name, seconds, device="cpu", dtype="uint16", version="1"):
    return KernelCost(kernel=name, version=version, device=device, dtype=dtype, seconds_per_megapixel=seconds)


def route(source, destination, seconds, device="cpu", dtype="uint16"):
    return RouteCost(source=source, destination=destination, device=device, dtype=dtype, seconds_per_megabyte=seconds)


@given(COSTS)
def test_what_is_written_is_read(costs):
    assert Costs.from_json(json.loads(json.dumps(costs.to_json()))) == costs


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kernels": [{"kernel": "blur/numpy"}]}, "Error"),
        ({"kernels": 3}, "Error"),
        ({"measured_on": {"processor": "x", "cores": "many"}}, "Error"),
        ({"further": 1}, "Error"),
        ({"kernels": [attrs.asdict(kernel("a/b", -1.0))]}, "no number of seconds"),
        ({"kernels": [attrs.asdict(kernel("a/b", float("nan")))]}, "no number of seconds"),
    ],
)
def test_what_is_no_costs_is_refused(change, why):
    with pytest.raises(ValueError, match=why):
        Costs.from_json(Costs().to_json() | change)


# --- The file ---------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "costs.json"


def numpy_version():
    from importlib.metadata import version

    return version("numpy")


def here(**more):
    """Return costs that were measured on this machine."""
    return (
        Costs(
            measured_on=this_hardware(),
            libraries=(library("numpy", numpy_version()),),
            kernels=(kernel("a/numpy", 1.0),),
        )
        if not more
        else attrs.evolve(here(), **more)
    )


def test_the_file_comes_back(path):
    path.write_text(costs_text(here()))
    assert read_costs(path) == here()
    assert read_costs(path).notice == ""


def test_without_a_file_nothing_was_measured_and_nothing_is_said(path):
    assert read_costs(path) == Costs()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": "other"}', b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_cannot_be_read_is_noticed(path, content):
    path.write_bytes(content)
    found = read_costs(path)
    assert not found
    assert found.notice.startswith(f"the measurements in {path} cannot be read (")


def test_a_folder_in_its_place_is_noticed(path):
    path.mkdir()
    assert "cannot be read" in read_costs(path).notice


def test_costs_of_another_machine_do_not_count(path):
    path.write_text(costs_text(here(measured_on=MeasuredOn(processor="another", cores=1))))
    found = read_costs(path)
    assert not found
    assert found.notice == "the measurements that are kept are of another machine"


def test_of_a_library_in_another_version_nothing_counts(path):
    costs = here(
        libraries=(library("numpy", numpy_version()), library("torch", "0.0.1")),
        kernels=(kernel("a/numpy", 1.0), kernel("a/torch", 0.1)),
        routes=(route("numpy", "torch", 1.0), route("torch", "numpy", 1.0)),
    )
    path.write_text(costs_text(costs))
    found = read_costs(path)
    assert [item.kernel for item in found.kernels] == ["a/numpy"]
    assert found.routes == ()
    assert found.notice.startswith("what was measured of torch (torch 0.0.1 then, ")


def test_a_machine_has_the_costs_that_are_kept_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert not this_machine(tmp_path).costs
    costs_path().parent.mkdir(parents=True)
    costs_path().write_text(costs_text(here()))
    assert costs_path().is_relative_to(tmp_path / "cache")
    assert this_machine(tmp_path).costs == here()


# --- Measured again ---------------------------------------------------------------------------------------------


def test_what_was_measured_again_takes_the_place_of_what_was():
    old = Costs(libraries=(library("numpy"),), kernels=(kernel("a/numpy", 1.0), kernel("b/numpy", 2.0)))
    new = Costs(libraries=(library("numpy"),), kernels=(kernel("a/numpy", 3.0),), measured_at="later")
    both = old.merged(new)
    assert {item.kernel: item.seconds_per_megapixel for item in both.kernels} == {"a/numpy": 3.0, "b/numpy": 2.0}
    assert both.measured_at == "later"


def test_of_another_version_of_a_library_nothing_stays():
    old = Costs(libraries=(library("torch", "1"), library("numpy")), kernels=(kernel("a/torch", 1.0),))
    new = Costs(libraries=(library("torch", "2"),), kernels=(kernel("b/torch", 1.0),))
    both = old.merged(new)
    assert [item.kernel for item in both.kernels] == ["b/torch"]
    assert {item.memory_type: item.version for item in both.libraries} == {"numpy": "1", "torch": "2"}


# --- Looked up --------------------------------------------------------------------------------------------------

HOST, CARD, OTHER = Place(), Place("torch", "cuda:0"), Place("jax", "cuda:0")


def test_a_dtype_that_was_not_measured_counts_as_the_most_expensive_that_was():
    costs = Costs(kernels=(kernel("a/numpy", 1.0), kernel("a/numpy", 3.0, dtype="float32")))
    assert costs.kernel("a/numpy", "1", "cpu", "uint16") == 1.0
    assert costs.kernel("a/numpy", "1", "cpu", "uint8") == 3.0


def test_another_version_of_a_kernel_or_another_device_was_not_measured():
    costs = Costs(kernels=(kernel("a/numpy", 1.0),))
    assert costs.kernel("a/numpy", "2", "cpu", "uint16") is None
    assert costs.kernel("a/numpy", "1", "cuda:0", "uint16") is None


def test_a_way_that_was_not_measured_goes_through_the_host():
    ways = (route("torch", "numpy", 1.0, "cuda:0"), route("numpy", "jax", 2.0, "cuda:0"))
    assert Costs(routes=ways).route(CARD, OTHER, "uint16") == 3.0
    assert Costs(routes=ways).route(OTHER, CARD, "uint16") is None
    direct = Costs(routes=(*ways, route("torch", "jax", 0.5, "cuda:0")))
    assert direct.route(CARD, OTHER, "uint16") == 0.5
    assert direct.route(CARD, CARD, "uint16") == 0.0
    assert direct.route(HOST, CARD, "uint16") is None


def test_the_device_is_the_first_that_a_name_means():
    costs = Costs(libraries=(library("torch", devices=("cuda:0", "cuda:1", "cpu")),))
    found = [costs.device("torch", wanted) for wanted in (None, "cuda", "cuda:1", "cpu", "tpu")]
    assert found == ["cuda:0", "cuda:0", "cuda:1", "cpu", ""]
    assert costs.device("jax") == ""
