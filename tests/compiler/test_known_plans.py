"""Plans that can be written down by hand: images, ports, readers and outputs of each kind of step."""

import attrs
import pytest

from hcs_core import Channel, PlaneState, Selection, Step, step_function
from hcs_core.compiler.image_plan import ImageChannel, ImagePlan
from hcs_core.compiler.node_plan import PLATE, Port
from hcs_core.compiler.well_shape import WellShape
from hcs_core.testing.plates import make_plate

STACK = {"wells": ("B01", "A02"), "sites": (1, 2), "z_indexes": (1, 2, 3), "z_step_um": 2.0}
SOURCE = ImagePlan(
    channels=(
        ImageChannel(name="DAPI", number=1, colour="0000FF"),
        ImageChannel(name="GFP", number=2, colour="00FF00"),
    ),
    z_indexes=(1, 2, 3),
    timepoints=(1,),
    shape=(64, 48),
    dtype="uint16",
    pixel_size_um=0.5,
    z_step_um=2.0,
)
WHOLE = WellShape(sites=(1, 2), gaps=(0, 0))
BOTH = (Port(PLATE, 0), Port(PLATE, 1))
# What has no place along z has z_index 0, as the projections of a microscope.
FLAT = attrs.evolve(SOURCE, z_indexes=(0,), reduced="z", z_step_um=None)


def test_no_steps_is_the_plate_as_it_is(draft):
    plan = draft(**STACK)
    assert plan.problems == ()
    assert plan.sources[0] == SOURCE
    assert (plan.nodes, plan.steps) == ((), ())
    assert (plan.wells, plan.well_shapes) == ((("A02", 0), ("B01", 0)), (WHOLE,))
    assert plan.gaps == ((),)
    (output,) = plan.outputs
    assert (output.step, output.store, output.image, output.ports, output.backend) == (
        "",
        "images.zarr",
        SOURCE,
        BOTH,
        "zarr",
    )
    assert output.layout.image.shape == (1, 2, 3, 64, 48)
    assert (plan.source_readers, plan.node_readers) == (((), ()), ())
    assert (plan.intermediate_backend, plan.executor, plan.missing) == ("memory", "local", "error")
    assert plan.output_bytes == 4 * 6 * 64 * 48 * 2


def test_a_plane_wise_step(draft):
    plan = draft(Step("gaussian_blur", sigma=1.5), **STACK)
    (node,) = plan.nodes
    assert (node.step, node.operation, node.axes, node.out) == ("gaussian_blur", "gaussian_blur", "yx", "yx")
    assert (node.inputs, node.input, node.output) == (BOTH, SOURCE, SOURCE)
    assert node.parameters == (("sigma", 1.5),)
    assert (node.memory_type, node.kernel, node.device) == ("numpy", "gaussian_blur/numpy", "cpu")
    assert node.plane_wise
    assert (plan.steps[0].nodes, plan.outputs[0].ports) == ((0,), (Port(0, 0), Port(0, 1)))
    assert (plan.source_readers, plan.node_readers) == (((0,), (0,)), (((), ()),))


def test_a_projection_leaves_one_plane_of_each_channel(draft):
    plan = draft(Step("max_projection"), **STACK)
    (node,) = plan.nodes
    assert (node.axes, node.out, node.input, node.output) == ("zyx", "yx", SOURCE, FLAT)
    assert plan.outputs[0].image == FLAT
    assert plan.outputs[0].layout.image.shape == (1, 2, 1, 64, 48)


def test_what_a_worker_needs_at_once(draft):
    plane = 64 * 48 * 2
    blur, flat = draft(Step("gaussian_blur", sigma=1), Step("max_projection"), **STACK).nodes
    # What it gets, what it gives, and two planes of scratch.
    assert (blur.needs_bytes, flat.needs_bytes) == ((1 + 1 + 2) * plane, (3 + 1 + 2) * plane)


def test_a_composite_has_a_name_of_its_own(draft):
    plan = draft(Step("composite"), **STACK)
    (node,) = plan.nodes
    assert node.output == attrs.evolve(SOURCE, channels=(ImageChannel(name="composite", number=0, colour="FFFFFF"),))
    assert node.parameters == (("weights", ()),)
    assert plan.outputs[0].ports == (Port(0, 0),)
    assert (plan.source_readers, plan.node_readers) == (((0,), (0,)), (((),),))


def test_a_chain_is_one_step_of_several_nodes(draft):
    plan = draft(Step(["max_projection", ("gaussian_blur", {"sigma": 2}), ("white_tophat", {"radius": 3})]), **STACK)
    assert [node.inputs for node in plan.nodes] == [BOTH, (Port(0, 0), Port(0, 1)), (Port(1, 0), Port(1, 1))]
    assert {node.step for node in plan.nodes} == {"max_projection_gaussian_blur_white_tophat"}
    assert plan.steps[0].nodes == (0, 1, 2)
    assert plan.outputs[0].ports == (Port(2, 0), Port(2, 1))
    assert plan.node_readers == (((1,), (1,)), ((2,), (2,)), ((), ()))


def test_channels_that_a_dict_does_not_name_pass_unchanged(draft):
    plan = draft(
        Step({"GFP": [("gaussian_blur", {"sigma": 1}), ("white_tophat", {"radius": 2})]}, name="by_channel"),
        Step("composite"),
        **STACK,
    )
    assert [node.inputs for node in plan.nodes] == [(Port(PLATE, 1),), (Port(0, 0),), (Port(PLATE, 0), Port(1, 0))]
    assert plan.nodes[0].input == attrs.evolve(SOURCE, channels=SOURCE.channels[1:])
    assert plan.steps[0].images == (SOURCE,)
    assert (plan.source_readers, plan.node_readers) == (((2,), (0,)), (((1,),), ((2,),), ((),)))


def test_branches_of_all_channels_may_reduce(draft):
    plan = draft(Step({"DAPI": "max_projection", "2": ["max_projection", ("gaussian_blur", {"sigma": 1})]}), **STACK)
    assert plan.problems == ()
    assert plan.steps[0].images == (FLAT,)
    assert plan.outputs[0].ports == (Port(0, 0), Port(2, 0))


def test_a_channel_that_is_called_like_another_s_number(draft):
    plate = make_plate(channels=("2", "GFP"))
    plan = draft(Step({"2": ("gaussian_blur", {"sigma": 1})}), plate=plate)
    assert plan.nodes[0].inputs == (Port(PLATE, 0),)
    assert draft(plate=plate, select=Selection(channels=(2,))).sources[0].channels[0].name == "GFP"
    assert draft(plate=plate, select=Selection(channels=("2",))).sources[0].channels[0].name == "2"


def test_two_readers_of_one_plane_are_counted(draft):
    plan = draft(
        Step("max_projection", save=True), Step({"DAPI": ("gaussian_blur", {"sigma": 1})}), Step("composite"), **STACK
    )
    assert plan.node_readers == (((1,), (2,)), ((2,),), ((),))
    kept, final = plan.outputs
    assert (kept.step, kept.store, kept.image, kept.ports) == (
        "max_projection",
        "max_projection.zarr",
        FLAT,
        (Port(0, 0), Port(0, 1)),
    )
    assert (final.step, final.store) == ("composite", "images.zarr")
    assert [output.backend for output in plan.outputs] == ["zarr", "zarr"]
    assert plan.output_bytes == 4 * (2 + 1) * 64 * 48 * 2


def test_a_user_s_function(draft):
    @step_function(axes="cyx", out="yx", out_channel="ratio", out_dtype="float32", version="2")
    def ratio(stack, *, offset: float = 1.0):
        return stack[0]

    plan = draft(Step(ratio, offset=3.0), **STACK)
    (node,) = plan.nodes
    assert node.function is ratio
    assert (node.operation, node.memory_type, node.kernel, node.version) == ("ratio", "numpy", "", "2")
    assert (node.output.dtype, node.output.channels) == ("float32", (ImageChannel(name="ratio"),))
    assert node.parameters == (("offset", 3.0),)
    assert plan.outputs[0].layout.image.dtype == "float32"


def test_a_function_over_time_leaves_no_time_step(draft):
    @step_function(axes="tyx", out="yx")
    def mean(stack):
        return stack[0]

    plan = draft(Step(mean), timepoints=(2, 3), time_step_s=60.0)
    assert plan.sources[0].time_step_s == 60.0
    assert (plan.outputs[0].image.timepoints, plan.outputs[0].image.time_step_s) == ((2,), None)


def test_a_function_over_sites_needs_all_of_the_largest_well(draft):
    @step_function(axes="syx", out="syx")
    def level(stack):
        return stack

    plan = draft(Step(level), sites=(1, 2, 3), without=[("A01", 3, c, 1, 1) for c in (1, 2)])
    assert [shape.sites for shape in plan.well_shapes] == [(1, 2), (1, 2, 3)]
    # The stack that it gets, the one that it gives, and two planes of scratch.
    assert plan.nodes[0].needs_bytes == (3 + 3 + 2) * 64 * 48 * 2


def test_steps_that_are_off_are_left_out(draft):
    plan = draft(Step("max_projection", enabled=False, save=True), Step("nonsense", enabled=False), **STACK)
    assert (plan.nodes, plan.steps, len(plan.outputs), plan.problems) == ((), (), 1, ())


def test_ragged_wells_share_what_is_alike(draft):
    without = [("B01", 2, channel, z, 1) for channel in (1, 2) for z in (1, 2, 3)]
    plan = draft(**(STACK | {"wells": ("A01", "B01", "C01")}), without=without)
    assert [shape.sites for shape in plan.well_shapes] == [(1, 2), (1,)]
    assert plan.wells == (("A01", 0), ("B01", 1), ("C01", 0))
    assert (plan.sites("B01"), plan.sites("C01")) == ((1,), (1, 2))
    assert plan.outputs[0].layout.field_count == 2


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ({"wells": "A02"}, {"wells": ("A02",)}),
        ({"channels": ("GFP",)}, {"channels": ("GFP",)}),
        ({"channels": (2, "DAPI")}, {"channels": ("DAPI", "GFP")}),
        ({"sites": (2,)}, {"sites": (2,)}),
        ({"z": (3, 1)}, {"z": (1, 3)}),
    ],
)
def test_a_selection(draft, select, expected):
    plan = draft(select=Selection(**select), **STACK)
    assert plan.problems == ()
    found = {
        "wells": plan.well_names,
        "channels": tuple(channel.name for channel in plan.sources[0].channels),
        "sites": plan.well_shapes[0].sites,
        "z": plan.sources[0].z_indexes,
    }
    whole = {"wells": ("A02", "B01"), "channels": ("DAPI", "GFP"), "sites": (1, 2), "z": (1, 2, 3)}
    assert found == whole | expected


def test_gaps_along_z_and_time_are_kept(draft):
    plan = draft(z_indexes=(2, 4), timepoints=(3, 7))
    assert plan.sources[0].array_shape == (5, 2, 3, 64, 48)
    assert plan.sources[0].planes == 8
    assert plan.output_bytes == 2 * 5 * 2 * 3 * 64 * 48 * 2


def test_projections_are_taken_where_asked_for_or_where_nothing_else_is_there(draft):
    both = {"z_indexes": (0, 1, 2)}
    assert draft(**both).sources[0].z_indexes == (1, 2)
    assert draft(select=Selection(z=(0,)), **both).sources[0].array_shape == (1, 2, 1, 64, 48)
    alone = draft(z_indexes=(0,))
    assert (alone.sources[0].z_indexes, alone.problems) == ((0,), ())


def test_what_was_never_acquired_is_not_waited_for(draft):
    never = {(well, 1, 2, 1, 1): PlaneState.NOT_ACQUIRED for well in ("A01", "A02")}
    plan = draft(states=never, select=Selection(channels=("DAPI",)))
    assert plan.problems == ()
    # A channel that nobody took is no part of the image; somebody who names it is told.
    assert [channel.name for channel in draft(states=never).sources[0].channels] == ["DAPI"]
    (problem,) = draft(states=never, select=Selection(channels=("DAPI", "GFP"))).problems
    assert "no plane of channel 'GFP'" in problem.message


def test_unreadable_files_show_when_they_are_read(draft):
    assert draft(states={("A01", 1, 1, 1, 1): PlaneState.UNREADABLE}).problems == ()


def test_colours_follow_the_emission(draft):
    waves = (450.0, 520.0, 600.0, 650.0, 750.0)
    channels = tuple(Channel(number=n, name=f"c{n}", wavelength_nm=wave) for n, wave in enumerate(waves, 1))
    plan = draft(plate=attrs.evolve(make_plate(channels=("a", "b", "c", "d", "e")), channels=channels))
    assert [channel.colour for channel in plan.sources[0].channels] == [
        "0000FF",
        "00FF00",
        "FFA500",
        "FF0000",
        "FF00FF",
    ]
    assert draft(channels=("DAPI",)).sources[0].channels[0].colour == "FFFFFF"
