"""Planes that are made several at once: the same stores as one by one, in the order that was foreseen."""

from __future__ import annotations

import gc
import shutil

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from hcs_core import Pipeline, Step, open_plate, step_function
from hcs_core.compiler.compiling import compile_plan
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.pipeline.config import GlobalPipelineConfig, VFSConfig
from hcs_core.runtime.well.forecast import forecast
from hcs_core.testing import FakeFailure

SIZES = (1, 2, 3, 7)


@pytest.fixture(scope="module")
def plate(make_plate):
    return make_plate(z_count=3, timepoint_count=2, wells=("A01",), image_shape=(16, 24))


@pytest.fixture(scope="module")
def torn(make_plate):
    """A plate of which a site lacks a plane, another has one that turns out to be unusable, and one is whole."""
    plate = make_plate(z_count=3, timepoint_count=2, wells=("A01",), grid=(1, 3), image_shape=(16, 24))
    (plate / "TimePoint_1" / "ZStep_2" / "plate_A01_s1_w1.TIF").unlink()
    broken = plate / "TimePoint_2" / "ZStep_3" / "plate_A01_s2_w2.TIF"
    broken.write_bytes(broken.read_bytes()[:1000])
    return plate


def batches(card, name, count):
    """How many images each call of a kernel got, of planes or stacks of so many dimensions."""
    return [shape[0] if len(shape) > count else 1 for kernel, shape in card.seen if kernel == name]


def test_an_output_is_pulled_in_batches(plate, card, run_on_card, same_pixels):
    run_on_card(plate, Step("lift"), Step("turn"), Step("lift", by=1), output="single")
    card.seen.clear()
    card.in_batches_of(5)
    result = run_on_card(plate, Step("lift"), Step("turn"), Step("lift", by=1))
    # Two channels, sites and timepoints of three slices, 24 planes: `turn` between them takes one at a time.
    assert batches(card, "lift", 2) == [5, 5] * 4 + [4, 4]
    assert batches(card, "turn", 2) == [1] * 24
    assert result.wells["A01"].conversions == {"numpy->card": 5, "card->numpy": 5}
    same_pixels("single", "out")


def test_a_chain_works_on_a_batch_without_putting_it_together_again(plate, card, run_on_card):
    card.in_batches_of(4)
    run_on_card(plate, Step("lift"), Step("lift", by=2), Step("lift", by=3))
    assert batches(card, "lift", 2) == [4] * 18
    assert card.memory.use.calls["stack"] == 0


def test_a_stack_pulls_its_planes_in_batches_and_stacks_are_batches_too(plate, card, run_on_card):
    card.in_batches_of(4)
    run_on_card(plate, Step("lift"), Step("flatten"))
    # Of the eight stacks of three planes, four are pulled at once: their twelve planes in batches of four.
    assert batches(card, "flatten", 3) == [4, 4]
    assert batches(card, "lift", 2) == [4] * 6


def test_a_stack_of_one_call_pulls_no_more_than_its_own_planes(plate, card, run_on_card):
    card.in_batches_of(7)
    run_on_card(plate, Step("lift"), Step("ramp"), Step("turn"))
    assert batches(card, "lift", 2) == [3] * 8


def test_a_step_on_the_host_after_a_batch_is_called_for_each_plane(plate, card, run_on_card, same_pixels):
    seen = []

    @step_function(version="1")
    def look(image):
        seen.append(image.shape)
        return image

    card.in_batches_of(4)
    run_on_card(plate, Step("lift"), Step(look))
    assert batches(card, "lift", 2) == [4] * 6
    assert seen == [(16, 24)] * 24
    card.in_batches_of(1)
    run_on_card(plate, Step("lift"), Step(look), output="single")
    same_pixels("single", "out")


def test_what_measures_pulls_one_block_at_a_time(plate, card, run_on_card):
    """Its artifacts are due at their own moments; the planes that it looks at come as they are made."""

    @step_function(memory="card", makes={"sum": "table"})
    def measure(image):
        return image, {"sum": [int(image.values.sum())]}

    card.in_batches_of(4)
    result = run_on_card(plate, Step("lift"), Step(measure), Step("lift", by=2))
    assert sorted(batches(card, "lift", 2)) == [1] * 24 + [4] * 6
    assert len(result.tables["sum"]) == 24


# --- However steps are put together -----------------------------------------------------------------------------


@step_function(memory="card", out="", makes={"light": "table"}, version="1")
def light(image):
    return {"total": [int(image.values.sum()) % 1009]}


@step_function(memory="card", takes={"light": "table"}, version="1")
def use(image, *, light):
    return image.map(lambda values: values + int(light["total"].sum()) % 5)


ONLY = {"channel": ("DAPI", "GFP"), "site": ("2",), "timepoint": ("1", "2"), "z_index": ("1", "3")}


@st.composite
def pipelines(draw):
    """Steps in every memory type, some in some places only, some kept, some that measure, perhaps a second row."""
    steps, stacked, measured = [], True, False
    for number in range(draw(st.integers(1, 6))):
        kinds = ["lift", "lift", "turn"] + ["flatten", "ramp"] * stacked + ["light"] * (not measured)
        kind = draw(st.sampled_from(kinds + ["use"] * measured))
        options = {"name": f"{kind}{number}", "save": draw(st.integers(0, 3)) == 0}
        if kind in {"light", "use"}:
            measured = True
            steps.append(Step({"light": light, "use": use}[kind], **options | {"save": False}))
            continue
        function = (kind, {"by": number + 1} if kind == "lift" else {})
        memory = draw(st.sampled_from([None, None, "numpy"]))
        if kind in {"lift", "turn"} and draw(st.integers(0, 2)) == 0:
            component = draw(st.sampled_from(sorted(ONLY) if stacked else ["channel", "site", "timepoint"]))
            steps.append(Step({draw(st.sampled_from(ONLY[component])): function}, group_by=component, **options))
        else:
            steps.append(Step(kind, **function[1], **options, memory=memory))
        stacked = stacked and kind != "flatten"
    # A run that asks for a device for which no step has a kernel is refused.
    if draw(st.booleans()) or all(step.memory == "numpy" for step in steps):
        steps.append(Step("blend"))
    kept = [f"p/{step.name}" for step in steps[:-1] if step.name and not step.name.startswith("light")]
    if not kept or draw(st.booleans()):
        return [Pipeline("p", steps)]
    second = [Step("turn", input=draw(st.sampled_from(kept))), Step("lift", by=11)]
    return [Pipeline("p", steps), Pipeline("q", second)]


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],
)
@given(pipelines=pipelines(), missing=st.sampled_from(["whole", "skip-site", "fill"]))
def test_results_do_not_depend_on_the_batch(
    plate, torn, card, run_on_card, same_pixels, tmp_path, pipelines, missing
):
    """Nor on where it is computed: the first run has everything that can be on the host."""
    policy = "error" if missing == "whole" else missing
    on = plate if missing == "whole" else torn
    card.in_batches_of(1)
    first, more = list(pipelines[0].steps), pipelines[1:]
    tables = {}
    try:
        for size in (0, *SIZES):
            card.in_batches_of(max(size, 1))
            device = "cuda:0" if size else None
            result = run_on_card(on, *first, more=more, output=str(size), missing=policy, device=device)
            assert result.status == "ok", [record.fault.trace for record in result.failed]
            tables[size] = {name: table.columns["total"].tolist() for name, table in result.tables.items()}
            same_pixels("0", str(size))
            assert tables[size] == tables[0]
    finally:
        for size in (0, *SIZES):
            shutil.rmtree(tmp_path / str(size), ignore_errors=True)


PLANE = 4 * 16 * 24
"""Bytes of a plane on the card."""
FAILURES = st.lists(
    st.builds(
        FakeFailure,
        method=st.sampled_from(["from_host", "map", "stack", "cast", "to_host"]),
        call=st.integers(1, 40),
        out_of_memory=st.just(True),
    ),
    max_size=2,
    unique_by=lambda failure: failure.method,
)
"""As many as the two attempts of a call get over; a third would come to what takes over, on a CPU."""


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate],
)
@given(
    pipelines=pipelines(),
    missing=st.sampled_from(["whole", "skip-site", "fill"]),
    size=st.sampled_from(SIZES),
    planes=st.sampled_from([3, 5, 9, 20]),
    failures=FAILURES,
    held=st.sampled_from(["memory", "disk"]),
    there=st.sampled_from([("cuda:0",), ("cuda:0", "cpu")]),
)
def test_results_do_not_depend_on_what_a_device_has_room_for(
    plate, torn, card, run_on_card, same_pixels, tmp_path, pipelines, missing, size, planes, failures, held, there
):
    """Small devices, and such as are full at calls that nobody foresees."""
    policy = "error" if missing == "whole" else missing
    on = plate if missing == "whole" else torn
    first, more = list(pipelines[0].steps), pipelines[1:]
    if any(step.name.startswith(("light", "use")) for step in first):
        there = ("cuda:0", "cpu")  # Nothing but itself, on the CPU, can take over from a function of the user's own.
    planes = 1000 if failures else planes
    tables = []
    try:
        for device in (None, "cuda:0"):
            card.memory.reset()
            card.in_batches_of(size if device else 1)
            card.having(
                there=there,
                memory={"cuda:0": planes * PLANE} if device else {},
                failures=tuple(failures) if device else (),
            )
            fields = {"vfs": VFSConfig(intermediate_backend=held), "missing": policy, "device": device}
            result = run_on_card(on, *first, more=more, output=str(device), **fields)
            assert result.status == "ok", [record.fault.trace for record in result.failed]
            tables.append({name: table.columns["total"].tolist() for name, table in result.tables.items()})
        same_pixels("None", "cuda:0")
        assert tables[0] == tables[1]
        assert card.memory.use.live("cuda:0") == 0
    finally:
        for device in (None, "cuda:0"):
            shutil.rmtree(tmp_path / str(device), ignore_errors=True)


@pytest.mark.parametrize("missing", ["fill", "skip-site", "error"])
def test_nothing_of_an_attempt_that_met_an_unreadable_file_stays_on_the_device(
    make_plate, card, run_on_card, missing
):
    """Its error remembers the functions that it ended, and these their planes."""
    plate = make_plate(z_count=3, wells=("A01",), grid=(1, 2), image_shape=(16, 24))
    path = plate / "TimePoint_1" / "ZStep_3" / "plate_A01_s2_w2.TIF"
    path.write_bytes(path.read_bytes()[:1000])
    gc.disable()
    try:
        result = run_on_card(plate, Step("lift"), Step("flatten"), Step("turn"), missing=missing)
        assert result.status == ("failed" if missing == "error" else "ok")
        assert (card.memory.use.peak["cuda:0"] > 0, card.memory.use.live("cuda:0")) == (True, 0)
    finally:
        gc.enable()


# --- Order and memory -------------------------------------------------------------------------------------------


class Log:
    """Work without pixels that notes what is read, and how many planes are in hands at once."""

    def __init__(self, plan):
        self.plan, self.reads, self.held, self.most = plan, [], set(), 0
        self.batches = []

    def read(self, lane, key):
        self.reads.append((self.plan.lanes[lane][1].number, key))
        return 0

    def compute(self, index, block, planes, key):
        list(planes)
        return [0] * (len(block.cells) if "z" in self.plan.nodes[index].out else 1)

    def compute_together(self, index, blocks, planes):
        got = len(list(planes))
        assert got == sum(len(block.cells) for block in blocks)
        self.batches.append(len(blocks))
        return [0] * len(blocks)

    def write(self, output, channel, key, plane):
        pass

    def hold(self, port, key, plane):
        assert (port, key) not in self.held
        self.held.add((port, key))
        self.most = max(self.most, len(self.held))

    def take(self, port, key, last):
        assert (port, key) in self.held
        if last:
            self.held.remove((port, key))
        return 0


STEPS = {
    "chain": (Step("lift"), Step("turn"), Step("lift")),
    "projection": (Step("lift"), Step("flatten"), Step("lift")),
    "channels of projections": (Step("lift"), Step("flatten"), Step("blend"), Step("lift")),
    "stack to stack": (Step("ramp"), Step("lift"), Step("ramp"), Step("lift")),
    "kept on the way": (Step("lift", save=True), Step("turn", save=True), Step("flatten")),
    "one channel": (Step({"GFP": "lift"}), Step("lift"), Step("blend")),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("size", SIZES)
def test_planes_are_read_as_foreseen_and_none_stays(plate, card, name, size):
    card.in_batches_of(size)
    config = GlobalPipelineConfig(device="cuda:0")
    plan = compile_plan(Pipeline("p", STEPS[name]), open_plate(plate, plugins=card.plugins), config, card.plugins)
    log = Log(plan)
    Traversal(plan, plan.well_shapes[0], log, "A01").run()
    assert tuple(log.reads) == forecast(plan, plan.well_shapes[0], "A01")
    assert len(log.reads) == len(set(log.reads)) == 2 * plan.sources[0].planes
    assert log.held == set()
    assert max(log.batches, default=1) <= size
    # What waits for others waits as without batches, and at most one batch more for each step.
    card.in_batches_of(1)
    single = Log(
        compile_plan(Pipeline("p", STEPS[name]), open_plate(plate, plugins=card.plugins), config, card.plugins)
    )
    Traversal(single.plan, single.plan.well_shapes[0], single, "A01").run()
    assert log.most <= single.most + size * len(STEPS[name])
