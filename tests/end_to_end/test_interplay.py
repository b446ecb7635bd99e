"""Features together: drawn pipelines on damaged plates, against a short computation of their own of every pixel.

`Reference` says what steps mean, plane by plane and with no other order than that of the pipeline: what is estimated
of a well or of the plate, what is stitched, what tables are taken, what a policy leaves out. Any run, however it is
cut up, has to leave that.
"""

from __future__ import annotations

import csv
import itertools
import shutil
import tempfile
from pathlib import Path

import attrs
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from hcs_core import GlobalPipelineConfig, Pipeline, PipelineOrchestrator, Step, VFSConfig, step_function
from hcs_core.runtime.running import RunOptions
from hcs_synthetic import Fault, SyntheticPlate, make_plate as write_plate

WELLS = ("A01", "B03", "C02", "D04")
CHANNELS = ("DAPI", "GFP")
EVERY = tuple(itertools.product((1, 2, 3), (1, 2), (1, 2), (1, 2)))
"""Site, timepoint, channel and z_index of each plane of a well."""
FAULTS = (
    Fault(kind="missing", wells="A01", sites=1),
    Fault(kind="missing", wells="B03", sites=2, channels=1, z_indexes=2, timepoints=1),
    Fault(kind="truncated", wells="B03", sites=3, channels=2, z_indexes=1, timepoints=2),
    Fault(kind="truncated", wells="C02", sites=1, channels=1, z_indexes=1, timepoints=1),
)
FACTS = {
    "name": "plate", "wells": WELLS, "grid": (1, 3), "image_shape": (36, 44), "z_count": 2, "timepoint_count": 2,
    "cells_per_field": 3.0, "overlap": 0.25, "pixel_size_um": 0.5,
}  # fmt: skip


@step_function()
def lift(image, *, by: int = 7):
    return np.minimum(image.astype(np.int64) + by, 65535).astype(image.dtype)


@step_function(out="", makes={"light": "table"})
def light(image):
    return {"total": [int(image.sum()) % 1009]}


@step_function(out="", makes={"glow": "table"})
def glow(image):
    return {"total": [int(image.sum()) % 997]}


@step_function(takes={"table": "table"})
def use(image, *, table):
    return np.minimum(image.astype(np.int64) + int(table["total"].sum()), 65535).astype(image.dtype)


MAKERS = {"light": (light, 1009), "glow": (glow, 997)}


# --- The reference ----------------------------------------------------------------------------------------------


@attrs.frozen
class Piece:
    """A step: what it is called, what it does, where it works, whether it is kept and for which wells."""

    name: str
    kind: str
    value: object = None
    only: tuple[str, object] | None = None
    save: bool = False
    wells: tuple[str, ...] | None = None

    def works(self, well, place):
        if self.only is None:
            return True
        at = dict(zip(("site", "timepoint", "channel", "z_index"), place, strict=True)) | {"well": well}
        return at[self.only[0]] == self.only[1]

    @property
    def step(self):
        call = {
            "bin": ("bin", {"factor": 2}), "crop": ("crop", {"y": 3, "x": 5, "height": 20, "width": 31}),
            "project": ("max_projection", {}), "stitch": ("stitch", {}), "lift": (lift, {}),
            "normalize": ("percentile_normalize", {"low": 3.0, "high": 95.0, "limits": self.value}),
            "use": (use, {"table": self.value}),
        }.get(self.kind) or (MAKERS[self.value][0], {})  # fmt: skip
        options = {"name": self.name, "save": self.save} | ({"wells": list(self.wells)} if self.wells else {})
        if self.only is None:
            return lambda **more: Step(call[0], **call[1], **options, **more)
        component, value = self.only
        key = CHANNELS[value - 1] if component == "channel" else value
        return lambda **more: Step({str(key): call}, group_by=component, **options, **more)


@attrs.frozen
class Program:
    """Pipelines as one row of pieces, each with the position of the piece that it takes (-1: the plate)."""

    pieces: tuple[Piece, ...]
    takes: tuple[int, ...]
    second: int | None = None
    source: str = "start"

    @property
    def pipelines(self):
        end = len(self.pieces) if self.second is None else self.second
        first = Pipeline("one", [piece.step() for piece in self.pieces[:end]])
        if self.second is None:
            return [first]
        rest = self.pieces[end:]
        return [first, Pipeline("two", [rest[0].step(input=self.source), *(piece.step() for piece in rest[1:])])]


class Reference:
    """What a program means on a plate of which some planes are absent, and some turn out to be unusable."""

    def __init__(self, plate, pixels, absent, torn, program, policy):
        self.plate, self.pixels, self.absent, self.torn = plate, pixels, absent, torn
        self.program, self.policy = program, policy
        self.known = {}

    def planned(self, well, policy=None):
        """The places of a well that are worked on by what is known before the run."""
        policy = policy or self.policy
        there = [place for place in EVERY if (well, *place) not in self.absent]
        lacking = {place[0] for place in EVERY if (well, *place) in self.absent}
        if policy == "skip-well" and lacking:
            return ()
        return tuple(p for p in there if policy == "fill" or p[0] not in lacking)

    def made(self, well):
        """The well as a run makes it; `None` where it is left out."""
        places = self.planned(well)
        bad = [place for place in places if (well, *place) in self.torn]
        if self.policy == "skip-well" and bad:
            return None
        gone = {place[0] for place in bad}
        left = [p for p in places if (p not in bad if self.policy == "fill" else p[0] not in gone)]
        return Well(self, well, left, {p[0] for p in places}) if left else None

    def limits(self, number, channel):
        """The levels of the plate at a piece, of a channel."""
        if (number, channel) not in self.known:
            found = [plane for well in WELLS for plane in self.sampled(well, number, channel)]
            self.known[number, channel] = levels(found)
        return self.known[number, channel]

    def sampled(self, well, number, channel):
        piece = self.program.pieces[number]
        places = self.planned(well, "skip-site" if self.policy == "error" else None)
        sites, gone = {p[0] for p in places}, set()
        while len(gone) < len(sites):
            made = Well(self, well, [p for p in places if p[0] not in gone], sites)
            planes = {p: x for p, x in made.before(number).items() if piece.works(well, p)}
            read = set().union(*(made.read(number, p) for p in planes)) if planes else set()
            bad = {p[0] for p in read if (well, *p) in self.torn}
            if not bad:
                return [x for p, x in planes.items() if p[2] == channel]
            gone |= bad
        return []


def levels(planes):
    return np.percentile(np.concatenate([plane.ravel() for plane in planes]).astype(np.float64), [3.0, 95.0])


class Well:
    """A well of these places: its planes after each piece, by site (0: the mosaic), timepoint, channel and z."""

    def __init__(self, reference, well, places, sites):
        self.all, self.well, self.program = reference, well, reference.program
        self.sites = sorted(sites)
        self.planes = {-1: {place: reference.pixels[(well, *place)] for place in places}}
        self.sources = {-1: {place: {place} for place in places}}
        self.frames = {-1: ((0.0, 0.0), 1)}
        self.tables = {}

    def before(self, number):
        return self.after(self.program.takes[number])

    def read(self, number, place):
        """Which places of the plate are read for a plane that a piece gets."""
        return self.sources[self.program.takes[number]][place]

    def after(self, number):
        if number not in self.planes:
            planes = self.before(number)
            piece, source = self.program.pieces[number], self.sources[self.program.takes[number]]
            self.frames[number] = self.frames[self.program.takes[number]]
            made = getattr(self, piece.kind)(number, piece, planes, source)
            self.planes[number], self.sources[number] = made
        return self.planes[number]

    def each(self, change, planes, source):
        return {place: change(place, plane) for place, plane in planes.items()}, source

    def bin(self, number, piece, planes, source):
        self.frames[number] = (0.5, 0.5), 2
        return self.each(lambda _, x: np.rint(x.reshape(18, 2, 22, 2).mean((1, 3))).astype(x.dtype), planes, source)

    def crop(self, number, piece, planes, source):
        self.frames[number] = (3.0, 5.0), 1
        return self.each(lambda _, x: x[3:23, 5:36], planes, source)

    def grouped(self, planes, source, name):
        """Planes that go into one, by its place."""
        found = {}
        for place in sorted(planes):
            found.setdefault(name(place), []).append(place)
        return found, {new: set().union(*(source[old] for old in olds)) for new, olds in found.items()}

    def project(self, number, piece, planes, source):
        found, sources = self.grouped(planes, source, lambda p: (*p[:3], 0))
        return {new: np.max([planes[old] for old in olds], axis=0) for new, olds in found.items()}, sources

    def stitch(self, number, piece, planes, source):
        corners, shape = self.canvas(number, next(iter(planes.values())).shape)
        found, sources = self.grouped(planes, source, lambda p: (0, *p[1:]))
        made = {}
        for new, olds in found.items():
            made[new] = np.zeros(shape, np.uint16)
            # The first of two tiles stays on top.
            for place in reversed(olds):
                (y, x), tile = corners[place[0]], planes[place]
                made[new][y : y + tile.shape[0], x : x + tile.shape[1]] = tile
        return made, sources

    def canvas(self, number, tile):
        (origin, scale), pixel = self.frames[number], self.all.plate.pixel_size_um
        first = {}
        for site in self.sites:
            position = self.all.plate.nominal_positions[self.well, site]
            centre = np.array([position.y_um, position.x_um]) / pixel
            first[site] = (centre + origin - (np.array(FACTS["image_shape"]) - 1) / 2) / scale
        shift = np.floor(first[self.sites[0]] + 0.5) - first[self.sites[0]]
        yx = {site: np.round(at + shift, 3) for site, at in first.items()}
        low = np.floor(np.min(list(yx.values()), axis=0) / 64) * 64
        high = np.ceil((np.max(list(yx.values()), axis=0) + tile) / 64) * 64
        corners = {site: tuple(np.floor(at - low + 0.5).astype(int)) for site, at in yx.items()}
        return corners, tuple((high - low).astype(int))

    def lift(self, number, piece, planes, source):
        add = lambda p, x: np.minimum(x.astype(int) + 7, 65535).astype(x.dtype) if piece.works(self.well, p) else x  # noqa: E731
        return self.each(add, planes, source)

    def normalize(self, number, piece, planes, source):
        mine = {p: x for p, x in planes.items() if piece.works(self.well, p)}
        sources = dict(source)
        if piece.value == "well":
            read = set().union(*(source[p] for p in mine)) if mine else set()
            sources |= {p: source[p] | read for p in mine}

        def stretch(place, plane):
            if place not in mine:
                return plane
            if piece.value == "plate":
                low, high = self.all.limits(number, place[2])
            else:
                low, high = levels(
                    [plane] if piece.value == "plane" else [x for p, x in mine.items() if p[2] == place[2]]
                )
            if not low < high:
                return plane
            return np.rint((plane - low).clip(0, high - low) / (high - low) * 65535).astype(plane.dtype)

        return self.each(stretch, planes, sources)

    def measure(self, number, piece, planes, source):
        modulus = MAKERS[piece.value][1]
        self.tables[piece.value] = {
            p: (int(x.sum()) % modulus, source[p]) for p, x in planes.items() if piece.works(self.well, p)
        }
        return planes, source

    def use(self, number, piece, planes, source):
        maker = next(
            n for n, other in enumerate(self.program.pieces) if (other.kind, other.value) == ("measure", piece.value)
        )
        self.after(maker)
        table, alone = self.tables[piece.value], self.program.pieces[maker].only is not None
        sources, made = {}, {}
        for place, plane in planes.items():
            # Along what only one of them has, all parts are taken; what one channel has is every channel's.
            parts = [
                value
                for part, value in table.items()
                if all(
                    (axis == 2 and alone) or 0 in (part[axis], place[axis]) or part[axis] == place[axis]
                    for axis in range(4)
                )
            ]
            made[place] = np.minimum(plane.astype(int) + sum(total for total, _ in parts), 65535).astype(plane.dtype)
            sources[place] = source[place].union(*(read for _, read in parts))
        return made, sources


# --- What is drawn ----------------------------------------------------------------------------------------------

LIMITS = st.sampled_from(["plane", "well", "plate"])
SOME_WELLS = st.none() | st.lists(st.sampled_from(WELLS), min_size=1, max_size=2, unique=True).map(sorted).map(tuple)


@st.composite
def drawn_pieces(draw, number, state, made, policy):
    """A step that fits to what was done before it, and to the tables that there are."""
    kinds = ["lift", "normalize"] + ["use"] * 2 * bool(made) + ["measure"] * 2 * (len(made) < 2)
    kinds += ["project"] * ("project" not in state) + ["stitch"] * 2 * ("stitch" not in state)
    kinds += ["bin", "crop"] * state.isdisjoint({"bin", "crop", "stitch"})
    kind = draw(st.sampled_from(kinds))
    value, only = None, None
    if kind in {"lift", "normalize"} and draw(st.booleans()):
        # Of a well that is left out, nothing could be estimated: such a plan is refused.
        wells = WELLS[2:] if policy == "skip-well" else WELLS
        components = {"channel": (1, 2), "well": wells, "timepoint": (1, 2)}
        components |= {"site": (1, 2, 3)} if "stitch" not in state else {}
        components |= {"z_index": (1, 2)} if "project" not in state else {}
        component = draw(st.sampled_from(sorted(components)))
        only = component, draw(st.sampled_from(components[component]))
    if kind == "measure":
        value = ("light", "glow")[len(made)]
        # A plane that is filled has no table, which only its own channel must not ask for.
        only = ("channel", draw(st.integers(1, 2))) if policy != "fill" and draw(st.booleans()) else None
    elif kind == "normalize":
        value = draw(LIMITS)
    elif kind == "use":
        value = draw(st.sampled_from(made))
    return Piece(f"{kind}{number}", kind, value, only)


@st.composite
def programs(draw, policy):
    """One pipeline or two, of steps that fit to each other."""
    pieces, takes, states, made = [], [], {-1: frozenset()}, []
    second, source, at = None, "start", -1
    for place in range(draw(st.integers(1, 2))):
        if place:
            second = len(pieces)
            at = draw(st.integers(-1, second - 1))
            source = "start" if at < 0 else "one" if at == second - 1 else f"one/{pieces[at].name}"
        for _ in range(draw(st.integers(1, 5 if place == 0 else 3))):
            piece = draw(drawn_pieces(len(pieces), states[at], made, policy))
            made += [piece.value] if piece.kind == "measure" else []
            states[len(pieces)] = states[at] | {piece.kind}
            pieces.append(piece)
            takes.append(at)
            at = len(pieces) - 1
    for number, piece in enumerate(pieces):
        # A step that only measures has nothing of its own to keep; the ends of pipelines are kept anyhow.
        ends = number in {len(pieces) - 1, (second or 0) - 1}
        if not ends and piece.kind != "measure" and draw(st.integers(0, 3)) == 0:
            pieces[number] = attrs.evolve(piece, save=True, wells=draw(SOME_WELLS))
    return Program(tuple(pieces), tuple(takes), second, source)


@st.composite
def cases(draw):
    policy = draw(st.sampled_from(["error", "skip-site", "skip-well", "fill"]))
    runs = draw(st.sampled_from([(None,), (["D04"], None), (None, None), (["C02", "D04"], ["A01", "D04"], None)]))
    how = draw(st.sampled_from([{"num_workers": 1}, {"num_workers": 2, "use_threading": True}]))
    held = draw(st.sampled_from(["memory", "disk", "zarr"]))
    return policy, draw(programs(policy)), runs, how, held, draw(st.sampled_from(["zarr", "disk"]))


# --- Running, and comparing -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plates(tmp_path_factory):
    """The whole plate and the damaged one: what is known of them, their folders and their pixels."""
    whole, damaged = SyntheticPlate(**FACTS), SyntheticPlate(**FACTS, faults=FAULTS)
    pixels = {
        (well, *place): whole.image(well, place[0], place[2], place[3], place[1]) for well in WELLS for place in EVERY
    }
    absent, torn = set(), set()
    for plane in damaged.damage:
        found = absent if plane.kind == "missing" else torn
        found.add((plane.well, plane.site, plane.timepoint, plane.channel, plane.z_index))
    folder = tmp_path_factory.mktemp("interplay")
    found = {
        False: (whole, write_plate(folder / "whole", whole), pixels, set(), set()),
        True: (damaged, write_plate(folder / "damaged", damaged), pixels, absent, torn),
    }
    # A function, which is shown in few words where an example fails.
    return lambda is_damaged: found[is_damaged]


def image_of(store, well, site, shape, backend):
    """An image of a store as (t, c, z, y, x), site 0 the mosaic."""
    if backend == "zarr":
        name = str(site - 1) if site else "stitched"
        return np.asarray(zarr.open_array(store / well[0] / well[1:] / name / "0", mode="r")[:])
    found = np.zeros(shape, np.uint16)
    for t, c, z in itertools.product(*map(range, shape[:3])):
        mark = f"s{site:03}" if site else "stitched"
        path = store / well / f"{well}_{mark}_w{c + 1:02}_z{z + 1:03}_t{t + 1:03}.ome.tif"
        if path.exists():
            found[t, c, z] = tifffile.imread(path)
    return found


def check_images(store, well, planes, backend):
    """A well's images in a store are these planes, and nothing else."""
    for site in sorted({place[0] for place in planes}):
        own = {place[1:]: plane for place, plane in planes.items() if place[0] == site}
        slices = 1 if all(place[2] == 0 for place in own) else 2
        wanted = np.zeros((2, 2, slices, *next(iter(own.values())).shape), np.uint16)
        for (t, c, z), plane in own.items():
            wanted[t - 1, c - 1, max(z - 1, 0)] = plane
        np.testing.assert_array_equal(
            image_of(store, well, site, wanted.shape, backend), wanted, f"{store} {well} {site}"
        )


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_output(output, reference, result, backend):
    """All that a run of the whole plate has left is what the reference says."""
    program, made = reference.program, {well: reference.made(well) for well in WELLS}
    made = {well: found for well, found in made.items() if found is not None}
    suffix = {"zarr": ".zarr", "disk": ""}[backend]
    count = len(program.pieces)
    ends = [(count - 1, f"images{suffix}")]
    if program.second is not None:
        ends.insert(0, (program.second - 1, f"one{suffix}"))
    for well, own in made.items():
        for number, name in ends:
            begin = 0 if program.second is None or number < program.second else program.second
            check_images(output / name, well, own.after(number), backend)
            stitches = [n for n in range(begin, number + 1) if program.pieces[n].kind == "stitch"]
            if stitches:
                check_images(output / name, well, own.before(stitches[0]), backend)
        for number, piece in enumerate(program.pieces):
            store = output / f"{piece.name}{suffix}"
            if piece.save and (piece.wells is None or well in piece.wells):
                check_images(store, well, own.after(number), backend)
            elif piece.save:
                assert not (store / well[0] / well[1:]).exists()
                assert not (store / well).exists()
    check_tables(output / "results", reference, made)


def check_tables(results, reference, made):
    program = reference.program
    for number, piece in enumerate(program.pieces):
        if piece.kind == "measure":
            wanted = []
            for well, own in made.items():
                own.after(number)
                order = sorted(own.tables[piece.value].items())
                wanted += [(well, *place, total) for place, (total, _) in order]
            found = [
                (row["Metadata_Well"], int(row.get("Metadata_Site", 0)), int(row["Metadata_Time"]),
                 1 + CHANNELS.index(row["Metadata_Channel"]), int(row.get("Metadata_Z", 0)), int(row["total"]))
                for row in rows_of(results / f"{piece.value}.csv")
            ]  # fmt: skip
            assert found == wanted
    placing = [n for n, piece in enumerate(program.pieces) if piece.kind == "stitch"]
    if placing:
        found = [(row["Metadata_Well"], int(row["Metadata_Site"])) for row in rows_of(results / "positions.csv")]
        assert found == [(w, s) for w, own in made.items() for s in sorted({p[0] for p in own.planes[-1]})]
    for row in rows_of(results / "wells.csv"):
        well = row["Metadata_Well"]
        planned = reference.planned(well)
        lacking = sum((well, *place) in reference.absent for place in EVERY)
        torn = sum((well, *place) in reference.torn for place in planned)
        own = made.get(well)
        assert row["status"] in ({"ok", "cached"} if own else {"skipped"}), row
        assert int(row["planes_present"]) == (len(own.planes[-1]) if own else 0), row
        assert int(row["planes_absent"]) == lacking + torn, row
        outputs = row["outputs"].split(";") if row["outputs"] else []
        assert len(outputs) == len(set(outputs)), row
    absent = rows_of(results / "planes.csv")
    assert len(absent) == len({tuple(row.values()) for row in absent})


def check(plates, case):
    policy, program, runs, how, held, backend = case
    plate, folder, *facts = plates(policy != "error")
    reference = Reference(plate, *facts, program, policy)
    config = GlobalPipelineConfig(
        missing=policy, vfs=VFSConfig(intermediate_backend=held, materialization_backend=backend), **how
    )
    with tempfile.TemporaryDirectory() as output:
        whole = set()
        for wells in runs:
            orchestrator = PipelineOrchestrator(folder, global_config=config, output=Path(output) / "out")
            result = orchestrator.run(program.pipelines, wells)
            assert not result.failed, [record.fault.trace for record in result.failed]
            cached = {well for well, record in result.wells.items() if record.status == "cached"}
            assert cached == whole & set(wells or WELLS)
            whole |= {well for well, record in result.wells.items() if record.status == "ok"}
        check_output(Path(output) / "out", reference, result, backend)


# Examples are small as they are: looking for smaller ones that fail would take minutes.
@settings(
    max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
)
@given(case=cases())
def test_whatever_is_put_together_leaves_what_the_steps_mean(plates, case):
    check(plates, case)


# --- However a run is cut up ------------------------------------------------------------------------------------

STEPS = (
    Step(light), Step("percentile_normalize", limits="plate"), Step("stitch", save=True, wells=["A01"]),
    Step("percentile_normalize", limits="well"), Step(use, table="light"),
)  # fmt: skip
TOLD_APART = {"run.json", "plan.json", "pipeline.yaml", "wells.csv", "estimates.csv"}
"""Files that tell of a run and not of what it made."""


def files_of(output):
    """What a run has made, by the names of the files."""
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and ".hcs" not in path.parts and path.suffix != ".png" and path.name not in TOLD_APART
    }


@pytest.fixture
def run(tmp_path):
    """Run `STEPS` on a plate; return each well's status."""

    def call(plate, output, wells=None, steps=STEPS, **how):
        options = RunOptions(reestimate=how.pop("reestimate", False))
        config = GlobalPipelineConfig(**{"num_workers": 1, **how})
        orchestrator = PipelineOrchestrator(plate, global_config=config, output=tmp_path / output)
        result = orchestrator.run([Pipeline("p", steps)], wells, options)
        assert result.status == "ok", [record.fault.trace for record in result.failed]
        return {well: record.status for well, record in result.wells.items()}

    return call


def test_a_run_that_was_cut_up_leaves_what_one_run_leaves(plates, run, tmp_path):
    plate = plates(False)[1]
    run(plate, "whole")
    wanted = files_of(tmp_path / "whole")
    assert {"results/light.csv", "results/positions.csv"} < wanted.keys()
    out = tmp_path / "out"
    run(plate, "out", ["B03"])
    assert run(plate, "out") == {"A01": "ok", "B03": "cached", "C02": "ok", "D04": "ok"}
    assert files_of(out) == wanted
    # A run was killed while it noted a well.
    journal = out / ".hcs" / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-2]) + lines[-2][:20])
    assert run(plate, "out") == {"A01": "cached", "B03": "cached", "C02": "ok", "D04": "ok"}
    assert files_of(out) == wanted
    assert set(run(plate, "out", reestimate=True).values()) == {"cached"}
    assert files_of(out) == wanted


def test_a_plate_that_grew_goes_on_and_reestimated_is_that_of_one_run(plates, run, tmp_path):
    small, plate = SyntheticPlate(**(FACTS | {"wells": WELLS[:3]})), plates(False)[1]
    folder = write_plate(tmp_path / "growing", small)
    run(folder, "out")
    # With the new well, the smallest plate that has all of them is another.
    shutil.copytree(plate, folder, dirs_exist_ok=True)
    assert run(folder, "out") == {"A01": "cached", "B03": "cached", "C02": "cached", "D04": "ok"}
    assert set(run(folder, "out", reestimate=True).values()) == {"ok"}
    run(plate, "whole")
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_a_well_whose_positions_are_gone_is_made_again(plates, run, tmp_path):
    plate, table = plates(False)[1], tmp_path / "out" / "results" / "positions.csv"
    run(plate, "out", steps=[Step("stitch")])
    before = table.read_text()
    (tmp_path / "out" / ".hcs" / "tables" / "B03.npz").unlink()
    assert run(plate, "out", steps=[Step("stitch")])["B03"] == "ok"
    assert table.read_text() == before
