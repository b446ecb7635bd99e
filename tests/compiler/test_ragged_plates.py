"""Channels that differ side by side: stacks, projections and single planes, and sites that lack planes."""

import attrs
import pytest

from hcs_core import PlaneState, Selection, Step, step_function
from hcs_core.compiler.node_plan import PLATE, Port
from hcs_core.compiler.order.presence import PlaneKey, Presence
from hcs_core.testing.plates import make_plate

CHANNELS = ("stack", "both", "flat", "single")


@pytest.fixture
def mixed():
    """One channel a stack, one a stack with its projection, one a projection only, one a single plane."""
    has = {1: (1, 2, 3), 2: (0, 1, 2, 3), 3: (0,), 4: (1,)}
    wells = ("A01", "A02")
    without = [(w, s, c, z, 1) for w in wells for s in (1, 2) for c in has for z in range(4) if z not in has[c]]
    return make_plate(wells=wells, sites=(1, 2), channels=CHANNELS, z_indexes=(0, 1, 2, 3), without=without)


def names(image):
    return [channel.name for channel in image.channels]


def test_slices_share_an_image_and_projections_have_their_own(draft, mixed):
    plan = draft(plate=mixed)
    assert plan.problems == ()
    slices, projections = plan.outputs
    assert (slices.store, names(slices.image), slices.image.z_indexes) == (
        "images.zarr",
        ["stack", "both", "single"],
        (1, 2, 3),
    )
    assert (projections.store, names(projections.image), projections.image.z_indexes) == (
        "projections.zarr",
        ["flat"],
        (0,),
    )
    assert slices.layout.image.shape == (1, 3, 3, 64, 48)
    assert projections.layout.image.shape == (1, 1, 1, 64, 48)
    # Colours are of the plate: no two of its channels look alike because they lie in two stores.
    assert len({channel.colour for image in plan.sources for channel in image.channels}) == 4


def test_the_single_plane_leaves_its_other_places_empty(draft, mixed):
    plan = draft(plate=mixed)
    assert plan.gaps == (((2, 1, 2), (2, 1, 3)),)
    assert {(shape.sites, shape.gaps) for shape in plan.well_shapes} == {((1, 2), (0, 0))}
    presence = Presence(plan, plan.well_shapes[0], "A01")
    there = [presence.has(Port(PLATE, 2), PlaneKey(1, 1, z)) for z in (1, 2, 3)]
    assert there == [True, False, False]
    assert presence.has(Port(PLATE, 3), PlaneKey(1, 1, 0))


def test_what_is_projected_joins_the_microscope_s_projections(draft, mixed):
    plan = draft(Step("max_projection"), plate=mixed)
    (output,) = plan.outputs
    assert (output.store, names(output.image), output.image.z_indexes) == ("images.zarr", list(CHANNELS), (0,))
    assert output.ports == (Port(0, 0), Port(0, 1), Port(1, 0), Port(0, 2))


def test_a_channel_that_is_projected_alone_goes_to_the_projections(draft):
    plan = draft(Step({"GFP": "max_projection"}, save=True, name="some"), z_indexes=(1, 2, 3))
    assert plan.problems == ()
    assert [(output.store, names(output.image)) for output in plan.outputs] == [
        ("some.zarr", ["DAPI"]),
        ("some_projections.zarr", ["GFP"]),
        ("images.zarr", ["DAPI"]),
        ("projections.zarr", ["GFP"]),
    ]


def test_channels_of_another_dtype_get_a_store_that_says_so(draft):
    @step_function(out_dtype="float32")
    def ratio(image):
        return image

    plan = draft(Step({"GFP": ratio}))
    assert [(output.store, names(output.image), output.image.dtype) for output in plan.outputs] == [
        ("images.zarr", ["DAPI"], "uint16"),
        ("images_float32.zarr", ["GFP"], "float32"),
    ]


def test_all_channels_in_one_stack_need_to_be_alike(draft, mixed):
    (problem,) = draft(Step("composite"), plate=mixed).problems
    assert (problem.step, problem.function) == ("composite", "composite")
    assert "flat differs from the others in z" in problem.message
    assert "project them all" in problem.hint
    assert draft(Step("max_projection"), Step("composite"), plate=mixed).problems == ()


def test_z_0_asks_for_projections(draft, mixed):
    plan = draft(plate=mixed, select=Selection(z=(0,)))
    (source,) = plan.sources
    assert (names(source), source.z_indexes, source.is_projection) == (["both", "flat"], (0,), True)
    assert plan.outputs[0].store == "images.zarr"
    (problem,) = draft(plate=mixed, select=Selection(z=(0,), channels=("stack",))).problems
    assert "no plane of channel 'stack' is in what is selected" in problem.message


def test_a_channel_alone_has_only_its_own_places_along_z(draft, mixed):
    (source,) = draft(plate=mixed, select=Selection(channels=("single",))).sources
    assert source.z_indexes == (1,)


def test_a_site_that_a_microscope_took_fewer_planes_of(draft):
    plan = draft(sites=(1, 2), z_indexes=(1, 2), without=[("A02", 1, channel, 2, 1) for channel in (1, 2)])
    assert plan.problems == ()
    assert plan.gaps == ((), ((0, 1, 2), (1, 1, 2)))
    assert [(shape.sites, shape.gaps) for shape in plan.well_shapes] == [((1, 2), (0, 0)), ((1, 2), (1, 0))]


def test_copies_and_what_was_never_taken_are_no_part_of_a_plate(draft):
    plate = make_plate(wells=("A01",), channels=("DAPI", "never"))
    copy = attrs.evolve(plate.planes.plane(0), state=PlaneState.DUPLICATE, uri="copy.tif")
    rows = [*plate.planes, copy]
    planes = type(plate.planes).build(
        wells=("A01",),
        reader="made_up",
        well=[0] * 3,
        **{name: [getattr(row, name) for row in rows] for name in ("site", "channel", "z_index", "timepoint", "uri")},
        state=[PlaneState.PRESENT, PlaneState.NOT_ACQUIRED, PlaneState.DUPLICATE],
    )
    plan = draft(plate=attrs.evolve(plate, planes=planes))
    assert (plan.problems, plan.gaps, names(plan.sources[0])) == ((), ((),), ["DAPI"])
