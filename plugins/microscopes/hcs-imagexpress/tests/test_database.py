"""What the handler makes of a copy of the MetaXpress database: layout, projections, and what lies beside it."""

import os
import unicodedata

import pytest

from hcs_core import Channel, PlaneKind, PlaneState, PlateError
from hcs_imagexpress.handler import ImageXpressHandler

HANDLER = ImageXpressHandler()
GUID = "46C9B2CD-92F1-4DFD-98AA-6A01BBD77557"
REASON = "its images have names of the MetaXpress database (a GUID in each)"
RUN = "2023-02-21/1334"


def places(plate, state=PlaneState.PRESENT):
    return {(p.well, p.site, p.channel, p.z_index, p.timepoint) for p in plate.planes if p.state == state}


class TestWhichFolder:
    """A user may point at the folder of the plate, of a day or of an acquisition."""

    @pytest.mark.parametrize("inner", ["", "2023-02-21", RUN])
    @pytest.mark.parametrize(
        "layout", ["", "ZStep_1/", "TimePoint_1/", "TimePoint_1/ZStep_1/", "ZStep_1/TimePoint_1/"]
    )
    def test_each_is_recognised_and_gives_the_same_planes(self, make_database, inner, layout):
        root, written = make_database(*(f"{RUN}/{layout}P_B02_s{s}_w{c}.tif" for s in (1, 2) for c in (1, 2)))
        assert HANDLER.recognise(root / inner) == REASON
        plate = HANDLER.build_inventory(root / inner)
        assert plate.detected_by == REASON
        assert places(plate) == {("B02", s, c, 1, 1) for s in (1, 2) for c in (1, 2)}
        below = f"{inner}/" if inner else ""
        assert sorted(p.uri for p in plate.planes) == sorted(path.removeprefix(below) for path in written.values())
        # Day and acquisition name no plate.
        assert plate.name == "plate"
        assert plate.differences == ()

    def test_from_within_the_folder(self, make_database, monkeypatch):
        root, _ = make_database(f"{RUN}/P_B02.tif")
        monkeypatch.chdir(root / RUN)
        assert HANDLER.recognise(root.__class__()) == REASON
        assert HANDLER.build_inventory(root.__class__()).name == "plate"
        monkeypatch.chdir(root / "2023-02-21")
        assert len(HANDLER.build_inventory(root.__class__()).planes) == 1

    def test_an_acquisition_that_was_taken_out_is_called_as_its_folder(self, make_database):
        root, _ = make_database("P_B02.tif", folder="1334")
        assert HANDLER.build_inventory(root).name == "1334"

    def test_what_a_run_leaves_beside_the_acquisition_is_not_entered(self, make_database):
        root, written = make_database(
            f"{RUN}/P_B02.tif", f"{RUN}_outputs/P_B03.tif", "2023-02-21_outputs/1/P_B04.tif", "results/P_B05.tif",
            f"{RUN}/5/P_B06.tif", "7/P_B07.tif", f"{RUN}/2023-02-22/P_B08.tif",
        )  # fmt: skip
        plate = HANDLER.build_inventory(root)
        assert [plane.uri for plane in plate.planes] == [written[f"{RUN}/P_B02.tif"]]

    def test_a_folder_of_plates_is_none(self, make_database, tmp_path):
        make_database(f"{RUN}/P_B02.tif", folder="one")
        make_database(f"{RUN}/P_B02.tif", folder="two")
        assert HANDLER.recognise(tmp_path) is None

    @pytest.mark.parametrize("name", ["P_B02", "P_B02_s1_w1_thumb" + GUID, "._P_B02" + GUID, "picture" + GUID])
    def test_a_folder_of_other_names_is_none(self, tmp_path, name):
        (tmp_path / "2023-02-21" / "1334").mkdir(parents=True)
        (tmp_path / "2023-02-21" / "1334" / f"{name}.tif").touch()
        for root in (tmp_path, tmp_path / "2023-02-21", tmp_path / "2023-02-21" / "1334"):
            assert HANDLER.recognise(root) is None
            with pytest.raises(PlateError, match="no HTD file, and no image with a GUID"):
                HANDLER.build_inventory(root)

    def test_recognition_stops_at_the_first_folder_with_an_image(self, make_database, monkeypatch):
        root, _ = make_database(*(f"2023-02-{day}/{number}/P_B02.tif" for day in (21, 22) for number in (1, 2)))
        listed = []
        scandir = os.scandir
        monkeypatch.setattr(os, "scandir", lambda path: listed.append(os.fspath(path)) or scandir(path))
        assert HANDLER.recognise(root) == REASON
        assert {os.path.relpath(path, root) for path in listed} == {".", "2023-02-21", "2023-02-21/1"}

    def test_each_folder_is_listed_once_and_no_image_is_opened(self, make_database, monkeypatch):
        root, written = make_database(
            *(f"{RUN}/{z}P_B02_w{c}.tif" for z in ("", "ZStep_1/", "ZStep_2/") for c in (1, 2))
        )
        for path in written.values():
            (root / path).unlink()
            # Opening a pipe that nobody writes into would wait for ever.
            os.mkfifo(root / path)
        listed = []
        scandir = os.scandir
        monkeypatch.setattr(os, "scandir", lambda path: listed.append(os.fspath(path)) or scandir(path))
        assert HANDLER.build_inventory(root).state_counts()["present"] == 6
        assert len(listed) == len(set(listed)) == 5


class TestLayout:
    """What names and folders say, and what they leave out."""

    def test_without_site_and_wavelength(self, make_database):
        plate = HANDLER.build_inventory(make_database(f"{RUN}/P_B02.tif")[0])
        assert places(plate) == {("B02", 1, 1, 1, 1)}
        assert plate.channels == (Channel(number=1, name=""),)
        assert plate.site_grid == {}

    def test_thumbnails_are_no_images_not_even_a_lone_one(self, make_database):
        root, written = make_database(f"{RUN}/P_B02_s1.tif", f"{RUN}/P_B02_s1_thumb.tif", f"{RUN}/P_C07_s9_thumb.tif")
        plate = HANDLER.build_inventory(root)
        assert [plane.uri for plane in plate.planes] == [written[f"{RUN}/P_B02_s1.tif"]]
        assert plate.differences == ()

    def test_numbers_of_several_digits_are_sorted_as_numbers(self, make_database):
        paths = [f"{RUN}/ZStep_{z}/P_B02_s{s}_w{c}.tif" for z in (1, 2, 10) for s in (9, 10, 100) for c in (2, 10)]
        plate = HANDLER.build_inventory(make_database(*paths)[0])
        assert plate.z_indexes == (1, 2, 10)
        assert plate.sites("B02") == (9, 10, 100)
        assert [channel.number for channel in plate.channels] == [2, 10]

    def test_gaps_and_late_beginnings_of_time(self, make_database):
        plate = HANDLER.build_inventory(make_database(*(f"{RUN}/TimePoint_{t}/P_B02.tif" for t in (2, 4, 10)))[0])
        assert plate.timepoints == (2, 4, 10)
        assert plate.differences == ()

    @pytest.mark.parametrize(
        ("wells", "expected"),
        [
            (("A01", "B03"), (2, 3)),
            (("A06", "D01"), (4, 6)),
            (("F08",), (6, 8)),
            (("H12",), (8, 12)),
            (("AF48",), (32, 48)),
        ],
    )
    def test_the_plate_is_the_smallest_usual_one_with_these_wells(self, make_database, wells, expected):
        plate = HANDLER.build_inventory(make_database(*(f"{RUN}/P_{well}.tif" for well in wells))[0])
        assert plate.plate_format == expected

    def test_what_one_site_lacks_is_not_recorded(self, make_database):
        paths = [f"{RUN}/P_{w}_s{s}_w{c}.tif" for w in ("B02", "B03") for s in (1, 2) for c in (1, 2)]
        lacking = paths.pop()
        plate = HANDLER.build_inventory(make_database(*paths)[0])
        assert lacking.endswith("P_B03_s2_w2.tif")
        assert places(plate, PlaneState.NOT_RECORDED) == {("B03", 2, 2, 1, 1)}
        assert plate.state_counts()["present"] == 7

    def test_what_is_remembered_of_a_name_is_what_the_grammar_says_of_each_path(self, make_database):
        stems = [
            "P_B02", "P_B02_s1", "P_B02_s10", "P_B02_w1", "P_B02_s1_w1", "P_B02_s1_w10", "P_B02_s01_w3",
            "P_B02_thumb", "P_B02_s2_thumb", "P_B02_C03_s1", "P_C03.TIF", "P_w10_D04", "P",
        ]  # fmt: skip
        paths = [f"{RUN}/ZStep_{z}/{stem}.{e}" for z in (1, 2) for stem in stems for e in ("tif", "tiff")]
        root, written = make_database(*paths)
        read = {path: HANDLER.parser.parse_filename(path) for path in written.values()}
        expected = {
            (path, name.well, name.site or 1, name.channel or 1, name.z_index)
            for path, name in read.items()
            if name is not None and name.plate == "P"
        }
        planes = [plane for plane in HANDLER.build_inventory(root).planes if plane.uri]
        assert {(p.uri, p.well, p.site, p.channel, p.z_index) for p in planes} == expected
        assert len(expected) == 2 * 2 * 7


class TestProjections:
    """Images beside `ZStep_` folders are projections; where an acquisition has no such folder they are planes."""

    def test_without_z_steps_images_are_planes(self, make_database):
        plate = HANDLER.build_inventory(make_database(f"{RUN}/P_B02_w1.tif", f"{RUN}/P_B02_w2.tif")[0])
        assert {(p.channel, p.z_index, p.kind) for p in plate.planes} == {
            (1, 1, PlaneKind.ACQUIRED), (2, 1, PlaneKind.ACQUIRED)
        }  # fmt: skip

    def test_beside_z_steps_they_are_projections(self, make_database):
        root, written = make_database(*(f"{RUN}/{z}P_B02.tif" for z in ("", "ZStep_1/", "ZStep_2/")))
        assert [(p.z_index, p.kind, p.uri) for p in HANDLER.build_inventory(root).planes] == [
            (0, PlaneKind.PROJECTION, written[f"{RUN}/P_B02.tif"]),
            (1, PlaneKind.ACQUIRED, written[f"{RUN}/ZStep_1/P_B02.tif"]),
            (2, PlaneKind.ACQUIRED, written[f"{RUN}/ZStep_2/P_B02.tif"]),
        ]

    @pytest.mark.parametrize("order", ["TimePoint_{t}/ZStep_{z}", "ZStep_{z}/TimePoint_{t}"])
    def test_with_timepoints_above_or_below(self, make_database, order):
        stacks = [f"{RUN}/{order.format(t=t, z=z)}/P_B02_w1.tif" for t in (1, 2) for z in (1, 2)]
        projections = [f"{RUN}/TimePoint_{t}/P_B02_w{c}.tif" for t in (1, 2) for c in (1, 2)]
        plate = HANDLER.build_inventory(make_database(*stacks, *projections)[0])
        assert {(p.channel, p.z_index, p.timepoint, p.kind) for p in plate.planes} == {
            *((1, z, t, PlaneKind.ACQUIRED) for z in (1, 2) for t in (1, 2)),
            *((c, 0, t, PlaneKind.PROJECTION) for c in (1, 2) for t in (1, 2)),
        }
        assert plate.state_counts()["present"] == len(plate.planes) == 8

    def test_timepoints_without_z_steps_hold_planes(self, make_database):
        plate = HANDLER.build_inventory(make_database(*(f"{RUN}/TimePoint_{t}/P_B02.tif" for t in (1, 2)))[0])
        assert {(p.z_index, p.timepoint, p.kind) for p in plate.planes} == {
            (1, 1, PlaneKind.ACQUIRED), (1, 2, PlaneKind.ACQUIRED)
        }  # fmt: skip

    def test_one_acquisition_with_a_stack_makes_no_projections_of_another(self, make_database):
        root, written = make_database(
            "2023-02-21/1/P_B02_w1.tif", "2023-02-21/2/P_B02_w2.tif", "2023-02-21/2/ZStep_1/P_B02_w2.tif"
        )
        found = {p.uri: (p.channel, p.z_index, p.kind) for p in HANDLER.build_inventory(root).planes}
        assert found == {
            written["2023-02-21/1/P_B02_w1.tif"]: (1, 1, PlaneKind.ACQUIRED),
            written["2023-02-21/2/P_B02_w2.tif"]: (2, 0, PlaneKind.PROJECTION),
            written["2023-02-21/2/ZStep_1/P_B02_w2.tif"]: (2, 1, PlaneKind.ACQUIRED),
        }


class TestBeside:
    """What else may lie in the folder: an HTD, another plate's images, exported ones."""

    @pytest.mark.parametrize("folder", ["", "2023-02-21/", f"{RUN}/"])
    def test_an_htd_of_the_plate_is_its_plan(self, make_database, make_htd, folder):
        root, _ = make_database(*(f"{RUN}/P_{w}_s1_w{c}.tif" for w in ("B02", "B03") for c in (1, 2)))
        (root / folder / "P.HTD").write_bytes(make_htd(waves=("DAPI", "FITC", "Cy5")))
        assert HANDLER.recognise(root) == REASON
        plate = HANDLER.build_inventory(root)
        assert plate.plate_format == (8, 12)
        assert [channel.name for channel in plate.channels] == ["DAPI", "FITC"]
        assert plate.site_grid == {1: (0, 0)}
        assert plate.differences == (
            "P.HTD declares the channel 3, and no file has it.",
            f"{folder}P.HTD lies beside images of the MetaXpress database: it is taken for what was planned.",
        )

    def test_the_htd_of_the_newest_acquisition_is_the_plan(self, make_database, make_htd):
        root, _ = make_database(*(f"2023-02-21/{number}/P_B0{number % 7}_w1.tif" for number in (9, 10)))
        for number, name in ((9, "old"), (10, "new")):
            (root / "2023-02-21" / str(number) / "P.HTD").write_bytes(make_htd(waves=(name,)))
        assert [channel.name for channel in HANDLER.build_inventory(root).channels] == ["new"]

    def test_an_htd_of_another_plate_is_not_used(self, make_database, make_htd):
        root, _ = make_database(f"{RUN}/P_B02_w1.tif")
        (root / "Q.HTD").write_bytes(make_htd())
        plate = HANDLER.build_inventory(root)
        assert [channel.name for channel in plate.channels] == [""]
        assert plate.differences == (
            "Q.HTD lies beside images of the MetaXpress database, whose names begin with P: it is not used.",
        )

    def test_names_of_the_database_in_the_folders_of_an_export(self, make_plate):
        plate = HANDLER.build_inventory(make_plate(f"TimePoint_1/P_B02_s1_w1{GUID}.tif"))
        assert places(plate) == {("B02", 1, 1, 1, 1)}
        assert plate.detected_by == REASON

    def test_of_both_families_the_one_of_more_images_counts(self, make_plate):
        guids = [f"{number}{GUID[1:]}" for number in range(3)]
        of_database = [f"{RUN}/P_B0{number + 1}_s1_w1{guid}.tif" for number, guid in enumerate(guids)]
        exported = [f"TimePoint_1/P_C0{number}_s1_w1.TIF" for number in (1, 2)]
        plate = HANDLER.build_inventory(make_plate(*of_database, *exported))
        assert plate.wells == ("B01", "B02", "B03")
        assert "2 images of the folder have no GUID in the name, as all of the database have; left out." in (
            plate.differences
        )
        plate = HANDLER.build_inventory(make_plate(*of_database[:1], *exported, folder="other"))
        assert plate.wells == ("C01", "C02")
        assert plate.detected_by == "it holds P.HTD and TimePoint_1"
        assert (
            "1 image of the folder has a GUID in the name, as all of the database have; left out."
            in plate.differences
        )

    def test_images_of_another_plate_are_left_out_and_counted(self, make_database):
        root, _ = make_database(f"{RUN}/P_B02.tif", f"{RUN}/P_B03.tif", f"{RUN}/Q_C01.tif")
        plate = HANDLER.build_inventory(root)
        assert plate.wells == ("B02", "B03")
        assert plate.differences == (
            "The names of some images begin with another plate's name than P; left out: Q (1).",
        )

    @pytest.mark.parametrize("inner", ["", "2023-02-21", RUN])
    def test_of_several_plates_the_one_that_the_folder_is_called_counts(self, make_database, inner):
        paths = [f"{RUN}/P_B02.tif", f"{RUN}/P_B03.tif", f"{RUN}/{unicodedata.normalize('NFD', 'É')}_C01.tif"]
        plate = HANDLER.build_inventory(make_database(*paths, folder=unicodedata.normalize("NFC", "é"))[0] / inner)
        assert plate.wells == ("C01",)
        assert plate.differences[-1].endswith("left out: P (2).")

    def test_several_plates_are_refused_where_none_has_most_images(self, make_database):
        root, _ = make_database(f"{RUN}/P_B02.tif", f"{RUN}/Q_B02.tif")
        with pytest.raises(PlateError, match=r"holds several plates \(P, Q\): put each into a folder of its own"):
            HANDLER.build_inventory(root)

    def test_a_plate_whose_images_are_named_in_two_forms_of_unicode_is_one(self, make_database):
        paths = [f"{RUN}/{unicodedata.normalize(f, 'é')}_{w}.tif" for f, w in (("NFC", "B02"), ("NFD", "B03"))]
        plate = HANDLER.build_inventory(make_database(*paths)[0])
        assert plate.wells == ("B02", "B03")
        assert plate.differences == ()

    def test_a_link_to_a_file_that_is_gone(self, make_database):
        root, written = make_database(f"{RUN}/P_B02.tif", f"{RUN}/P_B03.tif")
        gone = root / written[f"{RUN}/P_B03.tif"]
        gone.unlink()
        gone.symlink_to(root / "nowhere")
        assert places(HANDLER.build_inventory(root), PlaneState.MISSING) == {("B03", 1, 1, 1, 1)}
