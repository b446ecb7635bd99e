"""Every fault that a plate can have, against every policy of `--missing`: what a run must do, plane by plane.

A synthetic plate says which of its planes are damaged and what can be known of them (`SyntheticPlate.damage`). From
that alone follows here what a plain conversion leaves; pixels are compared with the source files as tifffile reads
them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import tifffile
import yaozarrs
import zarr

from hcs_synthetic import Effect, Fault, SyntheticPlate, make_plate as write_plate

POLICIES = ("error", "skip-site", "skip-well", "fill")
NFD = "株e\u0301 か\u3099"
MOST_NAMED = 8
COLUMNS = "Metadata_Plate,Metadata_Well,Metadata_Site,channel,channel_name,z_index,timepoint,kind,state,file,action"
PLATE = SyntheticPlate(
    name="plate", wells=("A01", "B03", "C02"), grid=(1, 2), image_shape=(32, 40), channels=("DAPI", "GFP"), z_count=2,
    cells_per_field=0.1,
)  # fmt: skip
# The headers of the first full site are read before anything is planned: a plane that is found then, and one later.
SEEN = {"wells": "A01", "sites": 1, "channels": 2, "z_indexes": 2}
UNSEEN = {"wells": "B03", "sites": 2, "channels": 1, "z_indexes": 2}


def damaged(*faults: Fault, **facts: Any) -> SyntheticPlate:
    return attrs.evolve(PLATE, faults=faults, **facts)


PLATES = {
    "nothing is wrong": PLATE,
    "a plane is missing": damaged(Fault(kind="missing", **UNSEEN)),
    "the first plane is missing": damaged(Fault(kind="missing", wells="A01", sites=1, channels=1, z_indexes=1)),
    "a site is missing": damaged(Fault(kind="missing", wells="B03", sites=2)),
    "a well is missing": damaged(Fault(kind="missing", wells="C02")),
    "every site of a well lacks a plane": damaged(Fault(kind="missing", wells="B03", channels=2, z_indexes=1)),
    "many planes are missing": damaged(
        Fault(kind="missing", wells=("A01", "B03"), sites=1), Fault(kind="missing", wells="B03", channels=1)
    ),
    "a channel has fewer z": damaged(Fault(kind="missing", channels=2, z_indexes=2)),
    "a site has fewer z": damaged(Fault(kind="missing", wells="B03", sites=1, z_indexes=2)),
    "wells differ in sites": damaged(
        Fault(kind="missing", wells="B03", sites=2), Fault(kind="missing", wells="C02", sites=1)
    ),
    **{
        f"{kind}, {place}": damaged(Fault(kind=kind, **chosen))
        for kind in ("truncated", "empty", "text", "wrong_dtype", "wrong_shape", "duplicate")
        for place, chosen in (("seen", SEEN), ("unseen", UNSEEN))
    },
    "wrong_dtype, first": damaged(Fault(kind="wrong_dtype", wells="A01", sites=1, channels=1, z_indexes=1)),
    "no file of a well can be read": damaged(Fault(kind="empty", wells="B03")),
    "a plane is missing and another empty": damaged(
        Fault(kind="missing", wells="B03", sites=1, z_indexes=1, channels=1), Fault(kind="empty", **UNSEEN)
    ),
    "the index declares more than there is": damaged(
        Fault(kind="missing", wells="H12"),
        Fault(kind="missing", sites=3),
        Fault(kind="missing", channels=3),
        Fault(kind="missing", z_indexes=3),
        Fault(kind="missing", timepoints=2),
        wells=(*PLATE.wells, "H12"), grid=(1, 3), channels=("DAPI", "GFP", "Cy5"), z_count=3, timepoint_count=2,
    ),
    "wells of 1,536, one with a bad file": damaged(
        Fault(kind="truncated", wells="AA48", sites=1, count=1), wells=("Z48", "AA01", "AA48", "AF48")
    ),
    "a name with #, µ and spaces, and a bad file": damaged(Fault(kind="text", **UNSEEN), name="#7 5 µm (b)"),
    "a name of decomposed letters, and a bad file": damaged(Fault(kind="empty", **UNSEEN), name=NFD),
    "a name of composed letters, and a missing plane": damaged(Fault(kind="missing", **UNSEEN), name="プレート é"),
}  # fmt: skip


@attrs.frozen(kw_only=True)
class Truth:
    """What a plate's damage makes of its planes, by their keys."""

    acquired: frozenset[tuple[str, int, int, int, int]]
    absent: tuple[tuple[str, int, int, int, int], ...]
    bad: frozenset[tuple[str, int, int, int, int]]

    @classmethod
    def of(cls, plate: SyntheticPlate) -> Truth:
        effects = {plane.key: plane.effect for plane in plate.damage}
        every = {
            (well, site, channel, z, t)
            for well, site in plate.positions
            for channel in range(1, len(plate.channels) + 1)
            for z in range(1, plate.z_count + 1)
            for t in range(1, plate.timepoint_count + 1)
        }
        return cls(
            acquired=frozenset(key for key in every if effects.get(key) != Effect.NOT_ACQUIRED),
            absent=tuple(key for key, effect in effects.items() if effect == Effect.ABSENT),
            bad=frozenset(k for k, effect in effects.items() if effect in {Effect.UNREADABLE, Effect.MISMATCHED}),
        )

    @property
    def wells(self) -> set[str]:
        return {key[0] for key in self.acquired}

    @property
    def sites(self) -> set[tuple[str, int]]:
        return {key[:2] for key in self.acquired}


@attrs.frozen(kw_only=True)
class Outcome:
    """What a run that is not refused comes to: its exit code, each well's status, and the sites that are made."""

    code: int
    wells: dict[str, str]
    sites: set[tuple[str, int]]


def outcome(truth: Truth, policy: str) -> Outcome:
    """Return what a run must come to under a policy, where it is not refused."""
    lost_sites = {key[:2] for key in (*truth.absent, *truth.bad)}
    lost_wells = {well for well, _ in lost_sites}
    if policy == "fill":
        sites = {key[:2] for key in truth.acquired - {*truth.absent, *truth.bad}}
        status = "skipped"
    elif policy == "skip-site":
        sites = truth.sites - lost_sites
        status = "skipped"
    else:
        sites = {(well, site) for well, site in truth.sites if well not in lost_wells}
        status = "failed" if policy == "error" else "skipped"
    made = {well for well, _ in sites}
    wells = {well: "ok" if well in made else status for well in truth.wells}
    failed = policy == "error" and made != truth.wells
    return Outcome(code=3 if failed else 0, wells=wells, sites=sites)


@pytest.fixture(scope="module")
def written(tmp_path_factory, installed) -> Callable[[str], Path]:
    """Write one of the plates, once for all tests of a worker."""
    made: dict[str, Path] = {}

    def write(name: str) -> Path:
        if name not in made:
            made[name] = write_plate(tmp_path_factory.mktemp("plates"), PLATES[name], plugins=installed)
        return made[name]

    return write


def source(root: Path, plate: SyntheticPlate, key: tuple[str, int, int, int, int]) -> Path:
    well, site, channel, z, t = key
    step = f"ZStep_{z}" if plate.z_count > 1 else ""
    return root / f"TimePoint_{t}" / step / f"{plate.name}_{well}_s{site}_w{channel}.TIF"


def place(well: str) -> str:
    """The path of a well in a plate of OME-Zarr."""
    row = well.rstrip("0123456789")
    return f"{row}/{well[len(row) :]}"


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("name", PLATES)
def test_inspecting_tells_what_the_truth_says(written, hcs, name):
    plate, truth = PLATES[name], Truth.of(PLATES[name])
    ran = hcs("inspect", written(name), "--json")
    assert (ran.code, ran.err) == (0, "")
    found = ran.document
    assert found["plate"] == plate.name
    assert set(found["wells"]) == truth.wells
    # A site that one well has is expected of all.
    assert found["sites_per_well"] == dict.fromkeys(truth.wells, len({site for _, site in truth.sites}))
    counts = found["planes"]
    assert counts["missing"] + counts["not_recorded"] == len(truth.absent)
    assert counts["present"] + counts["unreadable"] == len(truth.acquired) - len(truth.absent)
    spoilt = {source(Path(), plate, plane.key).as_posix() for plane in plate.damage if plane.kind != "missing"}
    told = {file for file in spoilt if any(file in text for text in found["differences"])}
    assert counts["unreadable"] <= len(told)
    if name.endswith((", seen", ", first")):
        assert told == spoilt or counts["duplicate"] == 1
    assert (tuple(found["image_shape"]), found["dtype"]) == (plate.image_shape, plate.dtype)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", PLATES)
def test_a_run_does_with_a_fault_what_the_policy_says(
    written, hcs, write_pipeline, tmp_path, digest_of, read_attributes, name, policy
):
    plate, root, out = PLATES[name], written(name), tmp_path / "out"
    truth, before = Truth.of(plate), digest_of(root)
    ran = hcs("run", root, write_pipeline(), "-o", out, "--missing", policy, "--workers", "1")
    assert digest_of(root) == before
    assert "Traceback" not in ran.err
    if policy == "error" and truth.absent:
        check_refusal(ran, truth)
        assert not out.exists()
        return
    expected = outcome(truth, policy)
    assert ran.code == expected.code, ran.err
    check_records(out, plate, truth, policy, expected)
    check_images(out / "images.zarr", plate, root, truth, expected, read_attributes)
    if policy == "fill":
        check_filled(out / "images.zarr", truth, expected)


def check_refusal(ran: Any, truth: Truth) -> None:
    """The plan is refused, and the absent planes are named: some of many."""
    assert ran.code == 1
    assert ran.out == ""
    for well, site, channel, z, t in truth.absent[:MOST_NAMED]:
        assert f"{well} site {site} channel {channel} z {z} t {t} (" in ran.err


def check_records(out: Path, plate: SyntheticPlate, truth: Truth, policy: str, expected: Outcome) -> None:
    """The run's files tell each well's status and why, and each plane that is not there."""
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert {well: record["status"] for well, record in run["wells"].items()} == expected.wells
    assert run["status"] == ("partial" if expected.code == 3 else "ok")
    table = rows(out / "results" / "wells.csv")
    assert {row["Metadata_Well"]: row["status"] for row in table} == expected.wells
    assert {row["Metadata_Plate"] for row in table} == {plate.name}
    failed = {well for well, status in expected.wells.items() if status == "failed"}
    faults = rows(out / "failed.csv") if failed else []
    assert (out / "failed.csv").exists() == bool(failed)
    assert {row["well"] for row in faults} == failed
    bad_files = {str(source(Path(), plate, key)) for key in truth.bad}
    assert all(any(row["file"].endswith(file) for file in bad_files) for row in faults)
    assert bool(run["missing"]) == bool(truth.absent or truth.bad)
    check_table_of_planes(rows(out / "results" / "planes.csv"), plate, truth, policy)


def check_table_of_planes(table: list[dict[str, str]], plate: SyntheticPlate, truth: Truth, policy: str) -> None:
    """Each absent plane has a row; of bad files, the first of each site (or well) that was left out at least."""
    assert all(",".join(row) == COLUMNS for row in table)
    assert {row["Metadata_Plate"] for row in table} <= {plate.name}
    acted = {}
    for row in table:
        numbers = (int(row[name]) for name in ("Metadata_Site", "channel", "z_index", "timepoint"))
        key = (row["Metadata_Well"], *numbers)
        assert row["channel_name"] == plate.channels[key[2] - 1]
        assert row["kind"] == "acquired"
        if row["action"] == "reported":
            assert row["state"] in {"duplicate", "not_acquired"}
        else:
            assert row["action"] == policy
            acted[key] = row
    assert {key for key in acted if key not in truth.bad} == set(truth.absent)
    for key in truth.absent:
        assert acted[key]["state"] in {"missing", "not_recorded"}
    # What lacks a plane anyway need not be read, and one bad file is enough to leave it out; to fill, each counts.
    parts = {"skip-site": 2, "fill": 5}.get(policy, 1)
    left_out = {key[:parts] for key in truth.bad} - {key[:parts] for key in truth.absent}
    assert {key[:parts] for key in acted if key in truth.bad} >= left_out
    unreadable = {plane.key for plane in plate.damage if plane.effect == Effect.UNREADABLE}
    for key in truth.bad & set(acted):
        assert acted[key]["file"].endswith(str(source(Path(), plate, key)))
        assert acted[key]["state"] == "unreadable" or key not in unreadable


def check_images(
    store: Path,
    plate: SyntheticPlate,
    root: Path,
    truth: Truth,
    expected: Outcome,
    read_attributes: Callable[..., dict[str, Any]],
) -> None:
    """The store is valid, lists what was made and nothing else, and holds the pixels of the source files."""
    if not expected.sites:
        assert not store.exists()
        return
    yaozarrs.validate_zarr_store(str(store))
    made = {well for well, _ in expected.sites}
    listed = {well["path"] for well in read_attributes(store)["plate"]["wells"]}
    assert listed == {place(well) for well in made}
    for well in truth.wells - made:
        assert not (store / place(well)).exists()
    for well in made:
        images = {image["path"] for image in read_attributes(store, place(well))["well"]["images"]}
        assert images == {str(site - 1) for other, site in expected.sites if other == well}
    good = [key for key in truth.acquired - {*truth.absent, *truth.bad} if key[:2] in expected.sites]
    arrays = {site: zarr.open_array(store / place(site[0]) / str(site[1] - 1) / "0")[:] for site in expected.sites}
    sizes = tuple(len({key[index] for key in truth.acquired}) for index in (4, 2, 3))
    assert {array.shape for array in arrays.values()} == {(*sizes, *plate.image_shape)}
    assert {array.dtype for array in arrays.values()} == {np.dtype(plate.dtype)}
    for key in good:
        well, site, channel, z, t = key
        pixels = arrays[well, site][t - 1, channel - 1, z - 1]
        np.testing.assert_array_equal(pixels, tifffile.imread(source(root, plate, key)), err_msg=str(key))
        np.testing.assert_array_equal(pixels, plate.image(well, site, channel, z, t), err_msg=str(key))


def check_filled(store: Path, truth: Truth, expected: Outcome) -> None:
    """A plane that is absent reads as 0, and nothing of it is stored."""
    for well, site, channel, z, t in {*truth.absent, *truth.bad}:
        if (well, site) in expected.sites:
            level = store / place(well) / str(site - 1) / "0"
            assert not zarr.open_array(level)[t - 1, channel - 1, z - 1].any()
            assert not (level / "c" / str(t - 1) / str(channel - 1) / str(z - 1)).exists()


@pytest.mark.parametrize(
    ("backend", "zarr_config"),
    [
        ("zarr", "{chunk_strategy: plane}"),
        ("zarr", "{chunk_strategy: single}"),
        ("zarr", "{chunk_strategy: tiled, shards: image}"),
        ("zarr", "{ome_zarr_version: '0.4'}"),
        ("disk", "{}"),
    ],
)
def test_a_well_that_is_run_again_without_a_site_is_as_if_it_never_had_it(
    written, hcs, write_pipeline, tmp_path, backend, zarr_config
):
    """The first attempt writes before it finds the bad file: nothing of it may be left, whatever the chunks."""
    root = written("truncated, unseen")
    config = tmp_path / "config.yaml"
    config.write_text(f"zarr: {zarr_config}\n")
    steps = "- gaussian_blur: {sigma: 1.0, save: true}\n"
    options = ("--config", config, "--backend", backend, "--workers", "1", "--wells", "B03")
    ran = hcs("run", root, write_pipeline(steps), "-o", tmp_path / "out", "--missing", "skip-site", *options)
    twin = hcs("run", root, write_pipeline(steps), "-o", tmp_path / "twin", "--sites", "1", *options)
    assert (ran.code, twin.code) == (0, 0), ran.err
    assert "1 plane(s) absent (missing: skip-site)" in ran.out
    stores = {path.name for path in (tmp_path / "out").iterdir()} - {".hcs", "results", "failed.csv"}
    for store in sorted(stores - {"run.json", "plan.json", "pipeline.yaml"}):
        ours, others = (
            # But for the plate's own documents, which tell how many sites were planned.
            {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*/*") if path.is_file()}
            for folder in (tmp_path / "out" / store, tmp_path / "twin" / store)
        )
        assert ours == others


def test_a_rerun_tells_again_what_was_absent_and_makes_nothing(written, hcs, write_pipeline, tmp_path):
    root, pipeline = written("a plane is missing and another empty"), write_pipeline()
    run = ("run", root, pipeline, "-o", tmp_path / "out", "--missing", "skip-site", "--workers", "1")
    assert hcs(*run).code == 0
    table = (tmp_path / "out" / "results" / "planes.csv").read_text(encoding="utf-8")
    assert hcs(*run).code == 0
    assert (tmp_path / "out" / "results" / "planes.csv").read_text(encoding="utf-8") == table
    wells = rows(tmp_path / "out" / "results" / "wells.csv")
    assert {row["Metadata_Well"]: row["status"] for row in wells} == {
        "A01": "cached",
        "B03": "skipped",
        "C02": "cached",
    }


# --- Filling, and kernels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a plane is missing", "truncated, unseen", "wrong_shape, seen"])
def test_a_projection_leaves_out_what_is_filled(written, hcs, write_pipeline, tmp_path, name):
    """A kernel never sees a made-up pixel: with one slice gone, the maximum along z is the other one."""
    plate, root = PLATES[name], written(name)
    truth = Truth.of(plate)
    options = ("-o", tmp_path / "out", "--missing", "fill", "--workers", "1")
    ran = hcs("run", root, write_pipeline("  - mean_projection\n"), *options)
    assert ran.code == 0, ran.err
    ((well, site, channel, z, t),) = {*truth.absent, *truth.bad}
    left = tifffile.imread(source(root, plate, (well, site, channel, 3 - z, t)))
    image = zarr.open_array(tmp_path / "out" / "images.zarr" / place(well) / str(site - 1) / "0")
    np.testing.assert_array_equal(image[t - 1, channel - 1, 0], left)


@pytest.mark.parametrize(("name", "code"), [("a plane is missing", 1), ("truncated, unseen", 3)])
def test_a_kernel_that_stacks_channels_refuses_what_would_be_filled(
    written, hcs, write_pipeline, tmp_path, name, code
):
    """At once where it is known; else the well fails, and the others are made."""
    steps = write_pipeline("  - max_projection: {variable_components: [channel]}\n")
    ran = hcs("run", written(name), steps, "-o", tmp_path / "out", "--missing", "fill", "--workers", "1")
    assert ran.code == code
    if code == 1:
        assert "it needs every plane of its stack, and in well B03, site 2" in ran.err
    else:
        (fault,) = rows(tmp_path / "out" / "failed.csv")
        assert (fault["well"], fault["step"]) == ("B03", "max_projection")
        assert "cannot do with a channel or a site that is absent" in fault["error"]
