"""What is measured is measured in processes of its own; what fails there is left out and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcs_core import PluginManager
from hcs_core.compiler.choice.costs import KernelCost, LibraryCost, RouteCost
from hcs_core.runtime.measuring import bench
from hcs_core.runtime.measuring.measuring import measured, no_costs_yet, with_cost
from hcs_core.runtime.measuring.stopwatch import seconds_of

MEGAPIXELS = bench.SHAPE[0] * bench.SHAPE[1] / 1e6


def run(**options):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        import kernels_to_measure

        manager = PluginManager()
        manager.register(kernels_to_measure)
        lines = []
        return list(measured(manager, lines.append, **options)), lines


@pytest.fixture(scope="module")
def whole():
    """What there is to measure of the plugin beside this file, and what was told of it."""
    return run(seconds=60.0)


def of(found, kind):
    return [item for item in found if isinstance(item, kind)]


def test_each_library_that_is_there_is_started(whole):
    found, _ = whole
    assert [(item.memory_type, item.devices) for item in of(found, LibraryCost)] == [
        ("numpy", ("cpu",)),
        ("slow", ("card:0", "cpu")),
    ]
    # Making a `Slow` takes so long.
    assert 0.2 <= of(found, LibraryCost)[1].start_seconds < 2.0


def test_kernels_take_what_they_take(whole):
    found, _ = whole
    times = {(item.kernel, item.device, item.dtype): item.seconds_per_megapixel for item in of(found, KernelCost)}
    # It sleeps 20 ms, and is timed by the clock on the wall, on a card; a sleep takes no time of the processor.
    assert times["nap/slow", "card:0", "uint16"] * MEGAPIXELS == pytest.approx(0.02, rel=0.5)
    assert times["nap/slow", "cpu", "uint16"] * MEGAPIXELS < 0.01
    # A stack of three planes is three times the pixels.
    assert times["stacked/slow", "card:0", "uint16"] * 3 * MEGAPIXELS == pytest.approx(0.02, rel=0.5)


def test_conversions_are_measured_both_ways_on_each_device(whole):
    found, _ = whole
    ways = {(item.source, item.destination, item.device, item.dtype) for item in of(found, RouteCost)}
    assert ways == {
        (*way, device, dtype)
        for way in (("numpy", "slow"), ("slow", "numpy"))
        for device in ("card:0", "cpu")
        for dtype in ("uint8", "uint16", "float32")
    }


def test_what_fails_or_kills_its_process_is_left_out_and_the_rest_is_measured(whole):
    found, lines = whole
    kernels = {item.kernel for item in of(found, KernelCost)}
    assert kernels == {"nap/slow", "stacked/slow", "nap/numpy"}
    (raises,) = [line for line in lines if "raises/slow on cpu" in line]
    assert "left out (ValueError: it never works)" in raises
    (dies,) = [line for line in lines if "dies/slow on cpu" in line]
    assert "left out (its process died)" in dies


def test_it_says_how_far_it_is(whole):
    _, lines = whole
    assert lines[0].startswith("numpy: started in 0.0 s, on cpu; ")
    assert any(line.startswith("slow: started in ") and "on card:0, cpu" in line for line in lines)


def test_nothing_is_begun_when_the_time_is_over():
    found, lines = run(seconds=0.0)
    assert of(found, KernelCost) == []
    assert lines[-1].startswith("slow: 0 of ")


def test_costs_are_put_together():
    costs = no_costs_yet()
    cost = KernelCost(kernel="a/numpy", version="1", device="cpu", dtype="uint8", seconds_per_megapixel=1.0)
    assert with_cost(costs, cost).kernels == (cost,)
    assert costs.measured_on.cores >= 1
    assert costs.measured_at.endswith("+00:00")


def test_no_call_of_a_kernel_gets_an_image_that_another_had(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import kernels_to_measure

    manager = PluginManager()
    manager.register(kernels_to_measure)
    table = bench.Bench(manager, "numpy")
    seen = []
    monkeypatch.setattr(manager.kernels, "load", lambda _name: lambda array, **_: seen.append(array) or array)
    assert table.kernel("nap/numpy", "cpu", "uint16") is not None
    assert len({array.__array_interface__["data"][0] for array in seen}) == len(seen) > 2
    assert len({array.tobytes() for array in seen}) == len(seen)


def test_the_first_call_is_not_timed_and_preparing_is_not_either():
    now = [0.0]
    calls = []

    def call(_given):
        # Compiled in the first call; the third is disturbed.
        calls.append([100.0, 0.05, 9.0, 0.05, 0.05][min(len(calls), 4)])
        now[0] += calls[-1]

    def prepare():
        now[0] += 1000.0

    assert seconds_of(call, prepare, lambda: now[0]) == pytest.approx((0.05 + 9.0) / 2)
    assert len(calls) == 3
