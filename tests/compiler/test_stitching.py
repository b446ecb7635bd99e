"""What the compiler makes of `positions` and `stitch`: canvases, nodes, what is refused, and what is read when."""

import math
import pickle
from collections import Counter

import attrs
import numpy as np
import pytest
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator

import hcs_stitching.plugin
from hcs_core import (
    GlobalPipelineConfig,
    ImageStitchingStep,
    Parameter,
    Pipeline,
    PositionGenerationStep,
    Selection,
    SitePosition,
    Step,
    StitcherSpec,
    ZarrConfig,
    compile_plan,
    step_function,
)
from hcs_core.compiler.canvas import TileFrame
from hcs_core.compiler.given_images import read_images
from hcs_core.compiler.image_plan import ImageChannel, ImagePlan
from hcs_core.compiler.order.traversal import Traversal
from hcs_core.compiler.views.document import plan_document
from hcs_core.pipeline.file_schema import pipeline_schema
from hcs_core.pipeline.pipeline_file import dump_pipeline
from hcs_core.runtime.well.forecast import forecast
from hcs_core.testing.plates import make_plate

LOOKING = StitcherSpec(
    name="looking",
    target="somewhere:Looking",
    positions=(Parameter(name="max_shift", kind="int", default=30, minimum=0),),
    needs_pixels=True,
    max_shift="max_shift",
)
HEIGHT, WIDTH, PIXEL = 64, 48, 0.5


def fields(wells=("A01", "A02"), sites=(1, 2, 3), step=40.0, jitter=0.0, **facts):
    """A plate whose fields lie in a row, `step` pixels from one to the next."""
    rng = np.random.default_rng(5)
    positions = {
        (well, site): SitePosition(y_um=rng.uniform(0, jitter), x_um=PIXEL * (step * site + rng.uniform(0, jitter)))
        for well in wells
        for site in sites
    }
    return make_plate(wells=wells, sites=sites, positions=positions, **facts)


@pytest.fixture
def stitching(make_manager):
    manager = make_manager(hcs_stitchers=[LOOKING])
    manager.register(hcs_stitching.plugin)
    return manager


@pytest.fixture
def plain(make_manager):
    manager = make_manager()
    manager.register(hcs_stitching.plugin)
    return manager


def problems(plan):
    return [str(problem) for problem in plan.problems]


# --- Canvases -----------------------------------------------------------------------------------------------------


def image(**facts):
    unsaid = {"channels": (ImageChannel(name="DAPI", number=1),), "z_indexes": (1,), "timepoints": (1,)}
    unsaid |= {"shape": (HEIGHT, WIDTH), "dtype": "uint16", "pixel_size_um": PIXEL}
    return ImagePlan(**{**unsaid, **facts})


CENTRES = st.lists(st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)), min_size=2, max_size=6)


@given(CENTRES, st.integers(0, 90))
def test_a_canvas_holds_every_tile_wherever_it_may_be_moved(centres, margin):
    frame = TileFrame.of(image(), margin)
    (canvas,) = frame.canvases([("A01", tuple(range(len(centres))))], np.array(centres))
    assert [number % 64 for number in (*canvas.origin, *canvas.shape)] == [0, 0, 0, 0]
    # By hand: the first pixel's centre is half a field less half a pixel from the field's centre.
    first = np.array(centres) / PIXEL - (np.array((HEIGHT, WIDTH)) - 1) / 2
    inside = first - canvas.origin
    # The mosaic's pixels are those of the first site: up to half a pixel from where the stage says.
    assert (inside >= margin - 0.51).all()
    assert (inside + np.array((HEIGHT, WIDTH)) + margin <= np.array(canvas.shape) + 0.51).all()
    # Nothing is added that is not needed: less than two snaps beside the margin on each side.
    assert (inside.min(axis=0) < margin + 64.51).all()
    assert (np.array(canvas.shape) - inside.max(axis=0) - (HEIGHT, WIDTH) < margin + 64.51).all()


@given(CENTRES)
def test_the_first_site_lies_on_whole_pixels_and_the_others_as_far_from_it_as_the_stage_says(centres):
    frame = TileFrame.of(image())
    placed = frame.placed([("A01", tuple(range(len(centres))))], np.array(centres))
    assert placed.yx[0] == pytest.approx(np.round(placed.yx[0]), abs=1e-9)
    expected = (np.array(centres) - centres[0]) / PIXEL
    assert placed.yx - placed.yx[0] == pytest.approx(expected, abs=2e-3)
    first = np.array(centres[0]) / PIXEL - (np.array((HEIGHT, WIDTH)) - 1) / 2
    assert placed.yx[0] + placed.fraction[0] == pytest.approx(first, abs=1e-6)


def test_tiles_that_were_joined_and_cropped_lie_where_their_pixels_do():
    binned = image(shape=(20, 20), field_shape=(64, 48), scale=2, origin=(8.5, 4.5), pixel_size_um=1.0)
    placed = TileFrame.of(binned).placed([("A01", (1,))], np.array([[10.0, 20.0]]))
    # The field's first pixel is at 20 - 31.5 and 40 - 23.5 plate pixels from the well's centre.
    expected = np.array([20 - 31.5 + 8.5, 40 - 23.5 + 4.5]) / 2
    assert placed.yx[0] + placed.fraction[0] == pytest.approx(expected)


def test_a_canvas_is_the_well_s_own_whatever_is_selected(draft, plain):
    plate = fields(wells=("A01", "A02", "B01"), jitter=20.0, without=[("A02", 3, c, 1, 1) for c in (1, 2)])
    whole = draft(ImageStitchingStep(), plate=plate, plugins=plain)
    alone = draft(ImageStitchingStep(), plate=plate, plugins=plain, select=Selection(wells="A02"))
    assert problems(whole) == problems(alone) == []
    of_whole = dict(whole.wells)["A02"]
    assert whole.well_shapes[of_whole].canvases == alone.well_shapes[0].canvases
    assert whole.content_key == alone.content_key


def test_wells_that_are_alike_share_a_shape_although_no_stage_stops_twice_at_one_place(draft, plain):
    wells = tuple(f"A{column:02d}" for column in range(1, 25))
    plan = draft(ImageStitchingStep(), plate=fields(wells=wells, jitter=2.0), plugins=plain)
    assert len(plan.wells) == 24
    assert len(plan.well_shapes) <= 2


def test_a_plan_stays_small_however_many_wells_are_stitched(draft, plain):
    wells = tuple(f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13))
    sizes = {}
    for count in (12, 96):
        plan = draft(ImageStitchingStep(), plate=fields(wells=wells[:count], jitter=2.0), plugins=plain)
        sizes[count] = len(pickle.dumps(plan))
    assert (sizes[96] - sizes[12]) / 84 < 200


def test_where_pixels_are_of_unknown_size_one_site_is_its_own_canvas(draft, plain):
    plan = draft(ImageStitchingStep(), sites=(1,), plugins=plain, pixel_size_um=None)
    assert problems(plan) == []
    assert plan.well_shapes[0].canvases[0].shape in {(128, 64), (128, 128)}


def test_the_room_for_moved_tiles_is_what_the_step_allows(draft, stitching):
    def shape(**parameters):
        steps = (PositionGenerationStep(stitcher="looking", **parameters), ImageStitchingStep())
        plan = draft(*steps, plate=fields(), plugins=stitching)
        assert problems(plan) == []
        return plan.well_shapes[0].canvases[0].shape

    assert shape(max_shift=200)[0] >= HEIGHT + 400 > shape(max_shift=30)[0] >= HEIGHT + 60


# --- What is planned ----------------------------------------------------------------------------------------------


def test_the_final_plate_holds_sites_and_mosaics(draft, plain):
    plan = draft(Step("max_projection"), ImageStitchingStep(), plate=fields(z_indexes=(1, 2)), plugins=plain)
    assert problems(plan) == []
    sites, mosaic = plan.outputs
    assert (sites.store, mosaic.store) == ("images.zarr", "images.zarr")
    assert (sites.image.is_mosaic, mosaic.image.is_mosaic) == (False, True)
    assert sites.layout == mosaic.layout
    assert sites.layout.image.shape == (1, 2, 1, HEIGHT, WIDTH)
    assert sites.layout.mosaic.shape[:3] == (1, 2, 1)
    assert sites.layout.mosaic.chunk == (1, 1, 1, 1024, 1024)
    assert sites.layout.field_count == 4
    # Positions once, and a mosaic of the two channels.
    assert [node.kernel for node in plan.nodes[1:]] == ["positions/plain", "stitch/plain"]


def test_a_step_that_is_kept_after_stitching_holds_mosaics_alone(draft, plain):
    steps = (ImageStitchingStep(), Step("gaussian_blur", sigma=1.0, save=True))
    plan = draft(*steps, plate=fields(), plugins=plain)
    kept = plan.outputs[0]
    assert (kept.store, kept.layout.image, kept.layout.field_count) == ("gaussian_blur.zarr", None, 1)


def test_what_a_plan_will_write_is_what_there_will_be(draft, plain):
    plan = draft(ImageStitchingStep(), plate=fields(wells=("A01",)), plugins=plain)
    height, width = plan.well_shapes[0].canvases[0].shape
    # Three sites and a mosaic, two channels of uint16; all are too small for a pyramid of more than one level.
    assert max(height, width) <= 384
    assert plan.output_bytes == 2 * 2 * (3 * HEIGHT * WIDTH + height * width)


def test_planned_memory_holds_a_canvas_and_a_tile(draft, plain):
    plan = draft(ImageStitchingStep(), plate=fields(step=4000.0), plugins=plain)
    height, width = plan.well_shapes[0].canvases[0].shape
    stitch = plan.nodes[-1]
    assert stitch.needs_bytes >= 2 * height * width + 2 * HEIGHT * WIDTH
    assert plan.peak_memory_bytes_per_worker >= stitch.needs_bytes


def test_another_stitcher_or_parameter_is_another_result(draft, plain, stitching):
    plate = fields()
    keys = [
        draft(*steps, plate=plate, plugins=stitching).content_key
        for steps in (
            (ImageStitchingStep(stitcher="plain"),),
            (ImageStitchingStep(stitcher="plain", overlap="last"),),
            (PositionGenerationStep(stitcher="looking"), ImageStitchingStep(stitcher="plain")),
            (PositionGenerationStep(stitcher="looking", max_shift=31), ImageStitchingStep(stitcher="plain")),
            (PositionGenerationStep(stitcher="looking", channel="GFP"), ImageStitchingStep(stitcher="plain")),
        )
    ]
    assert len(set(keys)) == len(keys)
    alone = draft(ImageStitchingStep(stitcher="plain"), plate=plate, plugins=plain)
    assert alone.content_key == keys[0]


def test_shards_of_mosaics_are_of_whole_chunks(draft, plain):
    config = GlobalPipelineConfig(zarr=ZarrConfig(shards="image"))
    plan = draft(ImageStitchingStep(), plate=fields(step=1500.0), plugins=plain, config=config)
    frame = plan.well_shapes[0].canvases[0].shape
    sized = plan.outputs[-1].image_layout.sized(frame)
    assert sized.shape[3:] == frame
    assert sized.shard == (1, 2, 1, 1024, 1024 * math.ceil(frame[1] / 1024))


def test_a_channel_is_named_by_name_or_number(draft, stitching):
    plate = fields()
    of = {}
    for channel in (None, "DAPI", 2, "GFP"):
        plan = draft(PositionGenerationStep(channel=channel, stitcher="looking"), plate=plate, plugins=stitching)
        assert problems(plan) == []
        of[channel] = plan.nodes[0].inputs[0].channel
    assert of == {None: 0, "DAPI": 0, 2: 1, "GFP": 1}


# --- What is read when --------------------------------------------------------------------------------------------


class Log:
    """Work without pixels that notes what is read, held and made, and asks for no tile that is not there."""

    def __init__(self, plan):
        self.plan = plan
        self.reads, self.writes, self.placed, self.fused = [], [], [], []
        self.held, self.most = set(), 0

    def read(self, lane, key):
        self.reads.append((self.plan.lanes[lane][1].number, key))
        return key

    def compute(self, index, block, planes, key):
        sites = [plane.site for plane in planes]
        if self.plan.nodes[index].stitch:
            self.fused.append((index, key, sites))
        return [attrs.evolve(key, site=key.site)]

    def place(self, index, sites, planes):
        self.placed.append((index, list(sites), [(plane.site, plane.z_index) for plane in planes]))

    def write(self, output, channel, key, plane):
        self.writes.append((output, channel, key))

    def hold(self, port, key, plane):
        self.held.add((port, key))
        self.most = max(self.most, len(self.held))

    def take(self, port, key, last):
        assert (port, key) in self.held
        if last:
            self.held.remove((port, key))
        return key


def log_of(plan, well="A01"):
    assert problems(plan) == []
    log = Log(plan)
    shape = plan.well_shapes[dict(plan.wells)[well]]
    Traversal(plan, shape, log, well).run()
    assert tuple(log.reads) == forecast(plan, shape, well)
    assert len(set(log.writes)) == len(log.writes)
    assert log.held == set()
    return log


def test_tiles_stream_into_the_mosaic_and_none_waits(draft, plain):
    log = log_of(draft(ImageStitchingStep(), plate=fields(z_indexes=(1, 2)), plugins=plain))
    assert log.most == 0
    assert len(set(log.reads)) == len(log.reads)
    assert log.placed == [(0, [], [])]
    assert len(log.reads) == 3 * 2 * 2
    assert [sites for _, _, sites in log.fused] == [[1, 2, 3]] * 4
    # Three sites' images and the mosaic, of two channels and two z.
    assert len(log.writes) == (3 + 1) * 4


def test_a_stitcher_that_looks_gets_the_middle_slice_of_its_channel(draft, stitching):
    steps = (PositionGenerationStep(channel="GFP", stitcher="looking"), ImageStitchingStep(stitcher="plain"))
    log = log_of(draft(*steps, plate=fields(z_indexes=(1, 2, 3, 4)), plugins=stitching))
    assert log.placed == [(0, [1, 2, 3], [(1, 3), (2, 3), (3, 3)])]
    # Planes of the plate do not wait for their mosaic: they are read again, these and no others.
    assert log.most == 0
    again = [key for key, times in Counter(log.reads).items() if times > 1]
    assert [(channel, key.site, key.z_index) for channel, key in again] == [(2, 1, 3), (2, 2, 3), (2, 3, 3)]


def test_what_was_computed_for_a_stitcher_that_looks_waits_for_its_mosaic(draft, stitching):
    steps = (Step("gaussian_blur", sigma=1.0), PositionGenerationStep(channel="GFP", stitcher="looking"))
    plan = draft(
        *steps, ImageStitchingStep(stitcher="plain"), plate=fields(z_indexes=(1, 2, 3, 4)), plugins=stitching
    )
    log = log_of(plan)
    assert log.most == 3
    assert len(set(log.reads)) == len(log.reads)
    positions = next(node for node in plan.nodes if node.operation == "positions")
    assert positions.needs_bytes >= 3 * 2 * HEIGHT * WIDTH


def test_a_stitcher_that_looks_gets_the_slice_that_most_sites_have(draft, stitching):
    without = [("A01", site, 1, z, 1) for site in (1, 2) for z in (2, 3)]
    plate = fields(z_indexes=(1, 2, 3), without=without)
    steps = (PositionGenerationStep(channel="DAPI", stitcher="looking"), ImageStitchingStep(stitcher="plain"))
    plan = draft(*steps, plate=plate, plugins=stitching)
    assert log_of(plan).placed == [(0, [1, 2, 3], [(1, 1), (2, 1), (3, 1)])]
    assert log_of(plan, "A02").placed == [(0, [1, 2, 3], [(1, 2), (2, 2), (3, 2)])]


def test_positions_alone_are_found_too(draft, stitching):
    log = log_of(draft(PositionGenerationStep(stitcher="looking"), plate=fields(), plugins=stitching))
    assert [sites for _, sites, _ in log.placed] == [[1, 2, 3]]
    assert len(log.writes) == 3 * 2


# --- What is refused ----------------------------------------------------------------------------------------------


@step_function(axes="syx")
def across_sites(image):
    return image


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((Step({"DAPI": "stitch"}),), "step 'stitch', function 'stitch': it is part of a list or of a dict."),
        ((Step(["max_projection", "stitch"]),), "it is part of a list or of a dict."),
        ((Step("stitch"), Step("stitch")), "step 'stitch_2', function 'stitch': the sites are stitched already."),
        ((Step("stitch"), Step(across_sites)), "it stacks sites, and after `stitch` a well has one image."),
        ((Step("stitch"), Step({1: "threshold_otsu"}, group_by="site")), "it has a dict by site, and after `stitch`"),
        ((Step("stitch"), Step("crop", y=4)), "cannot be cropped: crop before `stitch`."),
        (
            (Step("stitch"), Step("flat_field", profile=np.ones((64, 48)))),
            "it is 64 x 48, and the planes are mosaics.",
        ),
        ((Step("stitch", memory="torch"),), "parameter 'memory': a stitcher takes the sites of a well as numpy"),
        ((Step("stitch", variable_components=["timepoint"]),), "parameter 'variable_components': a stitcher takes"),
        ((Step("stitch", stitcher="plan"),), "no stitcher is called 'plan'. Did you mean 'plain'?"),
        ((Step("stitch", overlap="lest"),), "expected one of first, last, found 'lest'"),
        ((Step("stitch", overlay=1),), "parameter 'overlay': there is no such parameter. Did you mean 'overlap'?"),
        ((Step("positions", channel="DAPY"),), "there is no channel 'DAPY' at this step."),
        ((Step("positions", positions_file="a.csv"),), "parameter 'positions_file': there is no such parameter."),
        ((Step("stitch", positions_file="a.csv"),), "parameter 'positions_file': a.csv was not read."),
    ],
)
def test_what_cannot_be_is_said(draft, plain, steps, text):
    found = problems(draft(*steps, plate=fields(z_indexes=(1, 2)), plugins=plain))
    assert any(text in problem for problem in found), found


def test_without_a_stitcher_it_is_said_what_to_install(draft):
    (problem,) = problems(draft(Step("stitch"), plate=fields()))
    assert "no stitcher is called 'plain'" in problem
    assert "pip install" in problem


def test_sites_of_unknown_position_are_named(draft, plain):
    plate = fields()
    positions = {place: at for place, at in plate.positions.items() if place not in {("A01", 2), ("A02", 3)}}
    (problem,) = problems(draft(Step("stitch"), plate=attrs.evolve(plate, positions=positions), plugins=plain))
    assert "it is not known where A01 site 2, A02 site 3 lie" in problem
    # Selected sites are all that counts.
    select = Selection(sites=(1,))
    assert (
        problems(draft(Step("stitch"), plate=attrs.evolve(plate, positions={}), plugins=plain, select=select)) == []
    )


def test_unknown_positions_are_told_once_of_two_mosaics(draft, plain):
    plate = attrs.evolve(fields(), positions={})
    steps = Step("stitch", save=True), Step("stitch", name="again", input="start")
    (problem,) = problems(draft(*steps, plate=plate, plugins=plain))
    assert problem.startswith("step 'stitch': it is not known where")


def test_pixels_of_unknown_size_are_told(draft, plain):
    (problem,) = problems(draft(Step("stitch"), plate=fields(pixel_size_um=None), plugins=plain))
    assert "the pixel size of the plate is not known" in problem


def test_parameters_are_checked_where_the_plate_has_no_planes(draft, plain):
    plan = draft(Step("stitch", overlap="lest"), plugins=plain, image_shape=None, dtype=None)
    assert any("found 'lest'" in problem for problem in problems(plan))


# --- Tables of positions ------------------------------------------------------------------------------------------

HEAD = "Metadata_Plate,Metadata_Well,Metadata_Site,y_px,x_px,confidence\n"


def with_table(plate, plugins, tmp_path, rows, *steps, **options):
    (tmp_path / "table.csv").write_text(HEAD + rows)
    steps = steps or (ImageStitchingStep(positions_file="table.csv"),)
    pipeline = Pipeline("given", steps, folder=tmp_path)
    return compile_plan(
        pipeline, plate, GlobalPipelineConfig(), plugins, images=read_images([pipeline], plugins), **options
    )


ROWS = "".join(f"p,{well},{site},{100.5 * site},{7},{0.5}\n" for well in ("A01", "A02") for site in (1, 2, 3))


def test_a_table_stands_for_unknown_positions(plain, tmp_path):
    plan = with_table(fields(pixel_size_um=None), plain, tmp_path, ROWS)
    # Tiles from row 100.5 to 301.5 and 64 rows, and from column 7 on.
    assert plan.well_shapes[0].canvases[0].shape == (384 - 64, 64)
    assert plan.nodes[0].kernel == "positions/file"


def test_a_table_s_content_counts_and_not_its_path(plain, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    keys = [
        with_table(fields(), plain, folder, rows).content_key
        for folder, rows in ((tmp_path, ROWS), (tmp_path / "elsewhere", ROWS), (tmp_path, ROWS.replace("7", "8")))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_a_plan_with_a_table_is_written_as_json_without_it(plain, tmp_path):
    text = repr(plan_document(with_table(fields(), plain, tmp_path, ROWS)))
    assert "'source': 'table.csv'" in text
    assert "100.5" not in text


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (ROWS.replace("p,A02,3", "p,A02,4"), "it has no position of A02 site 3."),
        (ROWS.replace("100.5", "far"), "far"),
        ("", "has no row"),
    ],
)
def test_a_table_that_does_not_fit_is_told(draft, plain, tmp_path, rows, text):
    with pytest.raises(Exception, match=text):
        with_table(fields(), plain, tmp_path, rows)


def test_positions_come_from_one_place(plain, tmp_path):
    steps = (PositionGenerationStep(), ImageStitchingStep(positions_file="table.csv"))
    with pytest.raises(Exception, match="positions of the step before it, and a file of them"):
        with_table(fields(), plain, tmp_path, ROWS, *steps)


# --- Pipeline files -----------------------------------------------------------------------------------------------


def test_the_steps_stand_in_a_file_as_people_write_them(tmp_path):
    pipeline = Pipeline("p", [PositionGenerationStep(channel="DAPI"), ImageStitchingStep()])
    text = dump_pipeline(pipeline)
    assert text.endswith("steps:\n- positions: {channel: DAPI}\n- stitch\n")
    (tmp_path / "p.yaml").write_text(text)
    assert Pipeline.load(tmp_path / "p.yaml") == pipeline


# --- Branches and several pipelines -------------------------------------------------------------------------------


def test_positions_found_in_a_branch_are_those_of_what_takes_it(draft, stitching):
    """Which positions a `stitch` uses follows from what it takes, and not from what stands above it."""
    steps = (
        PositionGenerationStep(stitcher="looking", name="found"),
        Step("stitch", stitcher="plain", input="start", name="by_stage", save=True),
        Step("stitch", stitcher="plain", input="found"),
    )
    plan = draft(*steps, plate=fields(), plugins=stitching)
    assert problems(plan) == []
    used = {node.step: plan.nodes[node.stitch.positions].kernel for node in plan.nodes if node.operation == "stitch"}
    assert used == {"by_stage": "positions/plain", "stitch": "positions/looking"}
    log = log_of(plan)
    # The branch's mosaics of two channels, and at the end three sites and a mosaic of each.
    assert len(log.writes) == 2 + 2 * 4


def test_what_a_second_pipeline_takes_from_before_the_mosaics_waits_for_the_well(draft, plain):
    first = Pipeline("first", [Step("gaussian_blur", sigma=1.0), ImageStitchingStep()])
    second = Pipeline("second", [Step("percentile_normalize", input="first/gaussian_blur")])
    plan = compile_plan([first, second], fields(timepoints=(1, 2)), GlobalPipelineConfig(), plain)
    log = Log(plan)
    Traversal(plan, plan.well_shapes[0], log, "A01").run()
    assert log.held == set()
    assert log.most <= 3 * 2 * 2
    waits = plan.peak_memory_bytes_per_worker - max(node.needs_bytes for node in plan.nodes)
    assert waits >= log.most * 2 * HEIGHT * WIDTH
    assert [output.store for output in plan.outputs] == ["first.zarr", "first.zarr", "images.zarr"]


def test_the_schema_of_pipeline_files_knows_both_steps(stitching):
    validator = Draft202012Validator(pipeline_schema(stitching))

    def accepts(*steps):
        return validator.is_valid({"hcs": 1, "steps": list(steps)})

    assert accepts({"positions": {"channel": "DAPI", "max_shift": 20}}, "stitch")
    assert accepts({"positions": {"channel": 2}}, {"stitch": {"overlap": "last", "save": True}})
    assert not accepts({"positions": {"channel": [2]}})
    assert not accepts({"stitch": {"overlap": "lest"}})
    assert not accepts({"stitch": {"chanel": "DAPI"}})
