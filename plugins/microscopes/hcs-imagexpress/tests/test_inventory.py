"""What the handler makes of an exported plate: a test for each way in which plates are nasty."""

import errno
import os
import unicodedata

import numpy as np
import pytest

from hcs_core import Channel, PlaneKind, PlaneState, PlateError
from hcs_imagexpress.handler import ImageXpressHandler

HANDLER = ImageXpressHandler()
GUID = "46C9B2CD-92F1-4DFD-98AA-6A01BBD77557"


def paths(wells=("B02", "B03"), sites=(1,), channels=(1, 2), folders=("TimePoint_1",)):
    return [f"{f}/P_{w}_s{s}_w{c}.TIF" for f in folders for w in wells for s in sites for c in channels]


def places(plate, state=PlaneState.PRESENT):
    return {(p.well, p.site, p.channel, p.z_index, p.timepoint) for p in plate.planes if p.state == state}


class TestRecognise:
    """Which folders are plates."""

    def test_by_its_htd_and_timepoints(self, make_plate):
        assert HANDLER.recognise(make_plate("TimePoint_1/P_B02.TIF")) == "it holds P.HTD and TimePoint_1"

    def test_of_many_timepoints_it_says_the_first_and_the_last(self, make_plate):
        root = make_plate(*(f"TimePoint_{t}/P_B02.TIF" for t in (2, 9, 10)))
        assert HANDLER.recognise(root) == "it holds P.HTD and TimePoint_2 to TimePoint_10"

    def test_flat(self, make_plate):
        assert HANDLER.recognise(make_plate("P_B02.TIF", name="P.htd")) == "it holds P.htd"

    def test_by_a_copy_of_a_lost_htd(self, make_plate, make_htd):
        root = make_plate("TimePoint_1/P_B02_s1_w1.TIF", plan=None)
        (root / "TimePoint_1" / "P.HTD").write_bytes(make_htd(wells=("B02",), waves=("DAPI",)))
        assert HANDLER.recognise(root) == "it holds TimePoint_1/P.HTD and TimePoint_1"
        assert HANDLER.build_inventory(root).channels == (Channel(number=1, name="DAPI"),)

    def test_not_without_an_htd(self, make_plate):
        root = make_plate(*paths(), plan=None)
        assert HANDLER.recognise(root) is None
        with pytest.raises(PlateError, match="holds no HTD file"):
            HANDLER.build_inventory(root)

    def test_not_a_folder_of_plates(self, make_plate, tmp_path):
        make_plate(*paths(), folder="one")
        make_plate(*paths(), folder="two")
        assert HANDLER.recognise(tmp_path) is None

    def test_not_a_file_nor_what_is_not_there(self, make_plate):
        root = make_plate(*paths())
        assert HANDLER.recognise(root / "P.HTD") is None
        assert HANDLER.recognise(root / "nowhere") is None

    def test_not_by_a_hidden_htd(self, make_plate):
        assert HANDLER.recognise(make_plate(*paths(), name="._P.HTD")) is None

    def test_opens_no_file_and_lists_no_timepoint(self, make_plate, monkeypatch):
        root = make_plate(*paths())
        listed = []
        scandir = os.scandir
        monkeypatch.setattr(os, "scandir", lambda path: listed.append(os.fspath(path)) or scandir(path))
        HANDLER.recognise(root)
        assert [os.path.normpath(path) for path in listed] == [str(root)]


class TestLayout:
    """Where planes lie, and what names leave out."""

    def test_timepoints_and_z_steps(self, make_plate, make_htd):
        folders = [f"TimePoint_{t}/ZStep_{z}" for t in (1, 2) for z in (1, 2, 10)]
        root = make_plate(*paths(folders=folders), plan=make_htd(z_steps=10, timepoints=2))
        plate = HANDLER.build_inventory(root)
        assert plate.name == "plate"
        assert plate.root == root
        assert plate.microscope == "imagexpress"
        assert plate.detected_by == HANDLER.recognise(root)
        assert plate.z_indexes == (1, 2, 10)
        assert plate.timepoints == (1, 2)
        assert plate.plate_format == (8, 12)
        assert plate.channels == (Channel(number=1, name="DAPI"), Channel(number=2, name="FITC"))
        assert len(plate.planes) == plate.state_counts()["present"] == 24
        assert {plane.reader for plane in plate.planes} == {"tiff"}
        for plane in plate.planes:
            assert plane.uri == (
                f"TimePoint_{plane.timepoint}/ZStep_{plane.z_index}/P_{plane.well}_s{plane.site}_w{plane.channel}.TIF"
            )

    def test_flat_beside_the_htd(self, make_plate):
        root = make_plate("P_B02_s1_w1.TIF", "P_B02_s1_w2.TIF", "P_B03_s1_w1.TIF", "P_B03_s1_w2.TIF")
        plate = HANDLER.build_inventory(root)
        assert places(plate) == {(w, 1, c, 1, 1) for w in ("B02", "B03") for c in (1, 2)}
        assert plate.differences == ()

    def test_z_step_zero_holds_projections(self, make_plate, make_htd):
        folders = [f"TimePoint_1/ZStep_{z}" for z in (0, 1, 2)]
        root = make_plate(*paths(folders=folders), plan=make_htd(z_steps=2, projection=True))
        plate = HANDLER.build_inventory(root)
        assert {(p.z_index, p.kind) for p in plate.planes} == {
            (0, PlaneKind.PROJECTION), (1, PlaneKind.ACQUIRED), (2, PlaneKind.ACQUIRED)
        }  # fmt: skip
        assert plate.z_indexes == (1, 2)
        assert plate.differences == ()

    def test_without_site_and_wavelength(self, make_plate, make_htd):
        plan = make_htd(wells=("B02",), sites=None, waves=("DAPI",))
        plate = HANDLER.build_inventory(make_plate("TimePoint_1/P_B02.TIF", plan=plan))
        assert places(plate) == {("B02", 1, 1, 1, 1)}
        assert plate.site_grid == {1: (0, 0)}
        assert plate.differences == ()

    def test_gaps_and_late_beginnings_of_time(self, make_plate, make_htd):
        folders = [f"TimePoint_{t}" for t in (2, 4, 10)]
        plate = HANDLER.build_inventory(make_plate(*paths(folders=folders), plan=make_htd(timepoints=10)))
        assert plate.timepoints == (2, 4, 10)
        assert plate.differences == ("P.HTD declares the timepoints 1, 3, 5-9, and no file has them.",)

    def test_numbers_of_several_digits_are_sorted_as_numbers(self, make_plate, make_htd):
        waves = [f"c{number}" for number in range(1, 13)]
        plan = make_htd(wells=("B02",), sites=((True,) * 120,), waves=waves)
        root = make_plate(*paths(wells=("B02",), sites=range(1, 121), channels=range(1, 13)), plan=plan)
        plate = HANDLER.build_inventory(root)
        assert [channel.number for channel in plate.channels] == list(range(1, 13))
        assert plate.sites("B02") == tuple(range(1, 121))
        assert plate.site_grid[120] == (0, 119)
        assert plate.differences == ()

    def test_wells_of_large_plates(self, make_plate, make_htd):
        plan = make_htd(XWells="48", YWells="32", WellsSelection32=", ".join(["TRUE"] * 48), wells=())
        root = make_plate(*(f"TimePoint_1/P_AF{c:02d}_s1_w{w}.TIF" for c in range(1, 49) for w in (1, 2)), plan=plan)
        plate = HANDLER.build_inventory(root)
        assert plate.plate_format == (32, 48)
        assert plate.wells == tuple(f"AF{column:02d}" for column in range(1, 49))
        assert plate.differences == ()

    @pytest.mark.parametrize(
        "name", ["a_B02_C03", "my plate", "100% #1", "10µm", "板", unicodedata.normalize("NFD", "résumé"), "a.b"]
    )
    def test_any_name_of_a_plate(self, make_plate, make_htd, name):
        plan = make_htd(wells=("B04",), waves=("DAPI",))
        root = make_plate(f"TimePoint_1/{name}_B04_s1_w1.TIF", plan=plan, name=f"{name}.HTD", folder=name)
        plate = HANDLER.build_inventory(root)
        assert plate.name == name
        assert places(plate) == {("B04", 1, 1, 1, 1)}
        assert plate.differences == ()

    def test_a_path_of_many_characters(self, make_plate, make_htd):
        name = "p" * 200
        plan = make_htd(wells=("B04",), waves=("DAPI",))
        root = make_plate(f"TimePoint_1/{name}_B04_s1_w1.TIF", plan=plan, name=f"{name}.HTD", folder="f" * 200)
        assert len(HANDLER.build_inventory(root).planes) == 1

    @pytest.mark.parametrize("extension", ["TIF", "tif", "Tif", "tiff", "TIFF"])
    def test_any_spelling_of_the_extension(self, make_plate, make_htd, extension):
        plan = make_htd(wells=("B02",), waves=("DAPI",))
        plate = HANDLER.build_inventory(make_plate(f"TimePoint_1/P_B02_s1_w1.{extension}", plan=plan))
        assert plate.state_counts()["present"] == 1

    def test_what_is_no_plane_is_ignored(self, make_plate, make_htd):
        foreign = [
            "TimePoint_1/._P_B02_s1_w1.TIF", "TimePoint_1/.DS_Store", "TimePoint_1/Thumbs.db", "desktop.ini",
            "TimePoint_1/P.HTD", "TimePoint_1/P_B02_s1_w1_thumb.TIF", "TimePoint_1/P_C07_s9_w9_thumb.tif",
            "TimePoint_1/P_B02_s1_w1.TIF.statistics.json", "TimePoint_1/overview.tif", "notes.txt",
            "results/P_D04_s1_w1.TIF", ".TimePoint_2/P_B02_s1_w1.TIF", "TimePoint_1/ZStep_x/P_B02_s1_w1.TIF",
        ]  # fmt: skip
        plan = make_htd(wells=("B02",), waves=("DAPI",))
        plate = HANDLER.build_inventory(make_plate("TimePoint_1/P_B02_s1_w1.TIF", *foreign, plan=plan))
        assert places(plate) == {("B02", 1, 1, 1, 1)}
        assert plate.differences == ()


class TestDeclaredAgainstFound:
    """Where the HTD claims something else than the files show."""

    def test_more_is_declared_than_there_is(self, make_plate, make_htd):
        plan = make_htd(
            wells=("B02", "C05", "D06"), sites=((True,) * 4,), waves=("a", "b", "c"), z_steps=3, projection=True,
            timepoints=6,
        )  # fmt: skip
        root = make_plate("TimePoint_1/ZStep_1/P_B02_s1_w1.TIF", "TimePoint_1/ZStep_2/P_B02_s1_w1.TIF", plan=plan)
        plate = HANDLER.build_inventory(root)
        assert plate.differences == (
            "P.HTD declares the wells C05, D06, and no file has them.",
            "P.HTD declares the sites 2-4, and no file has them.",
            "P.HTD declares the channels 2, 3, and no file has them.",
            "P.HTD declares the z-steps 3 and the projection, and no file has them.",
            "P.HTD declares the timepoints 2-6, and no file has them.",
        )
        # What no well has was never acquired: there are no rows of it.
        assert len(plate.planes) == plate.state_counts()["present"] == 2
        assert plate.site_grid == {s: (0, s - 1) for s in (1, 2, 3, 4)}

    def test_there_is_more_than_is_declared(self, make_plate, make_htd):
        plan = make_htd(wells=("B02",), sites=None, waves=("DAPI",))
        folders = [f"TimePoint_{t}/ZStep_{z}" for t in (1, 2) for z in (0, 1, 2)]
        plate = HANDLER.build_inventory(make_plate(*paths(sites=(1, 2), folders=folders), plan=plan))
        assert plate.differences == (
            "There are files of the well B03, which P.HTD does not declare.",
            "There are files of the site 2, which P.HTD does not declare.",
            "There are files of the channel 2, which P.HTD does not declare.",
            "There are files of the z-steps 2 and the projection, which P.HTD does not declare.",
            "There are files of the timepoint 2, which P.HTD does not declare.",
        )
        assert plate.state_counts()["present"] == 48

    def test_a_projection_alone(self, make_plate, make_htd):
        folders = ["TimePoint_1/ZStep_1", "TimePoint_1/ZStep_2"]
        plate = HANDLER.build_inventory(
            make_plate(*paths(folders=folders), plan=make_htd(z_steps=2, projection=True))
        )
        assert plate.differences == ("P.HTD declares the projection, and no file has it.",)

    def test_a_wavelength_that_is_not_collected(self, make_plate, make_htd):
        plan = make_htd(waves=("a", "b", "c"), collect=(1, 3))
        plate = HANDLER.build_inventory(make_plate(*paths(channels=(1, 3)), plan=plan))
        assert plate.differences == ()
        assert plate.channels == (Channel(number=1, name="a"), Channel(number=3, name="c"))

    def test_an_htd_that_is_cut_off(self, make_plate, make_htd):
        content = make_htd(wells=("B02", "B03", "G07"))
        # Behind row B: whatever it says of row G is lost, and so may be what it says of everything else.
        content = content[: content.index(b'"WellsSelection3"') + 5]
        plate = HANDLER.build_inventory(make_plate(*paths(sites=(1, 2)), plan=content))
        assert plate.differences == ("P.HTD is cut off (it has no EndFile): what it says up to there is used.",)
        assert plate.plate_format == (8, 12)
        assert [channel.name for channel in plate.channels] == ["", ""]

    def test_files_are_not_beyond_an_htd_that_is_cut_off(self, make_plate, make_htd):
        content = make_htd(wells=("B02", "B03", "G07"))
        content = content[: content.index(b'"WellsSelection7"')]
        plate = HANDLER.build_inventory(make_plate(*paths(wells=("B02", "B03", "G07")), plan=content))
        assert plate.wells == ("B02", "B03", "G07")
        assert len(plate.differences) == 1

    def test_an_empty_htd(self, make_plate):
        root = make_plate("TimePoint_1/P_H12_s1_w1.TIF")
        (root / "P.HTD").write_bytes(b"")
        plate = HANDLER.build_inventory(root)
        assert plate.plate_format == (8, 12)
        assert plate.site_grid == {}
        assert len(plate.differences) == 1

    def test_a_well_that_the_declared_plate_has_not(self, make_plate, make_htd):
        plate = HANDLER.build_inventory(make_plate(*paths(wells=("B02", "B03", "P24")), plan=make_htd()))
        assert plate.plate_format == (16, 24)
        assert plate.differences == ("There are files of the well P24, which P.HTD does not declare.",)

    def test_long_lists_are_shortened(self, make_plate, make_htd):
        plan = make_htd(**{f"WellsSelection{row}": ", ".join(["TRUE"] * 12) for row in range(1, 9)})
        (sentence,) = HANDLER.build_inventory(make_plate(*paths(), plan=plan)).differences
        assert "A01, A02" in sentence
        assert "and 70 more" in sentence


class TestChannelNames:
    """Names are the HTD's, and unique where there are any."""

    def names(self, make_plate, make_htd, waves):
        channels = range(1, len(waves) + 1)
        plate = HANDLER.build_inventory(make_plate(*paths(channels=channels), plan=make_htd(waves=waves)))
        return [channel.name for channel in plate.channels]

    def test_equal_names_get_their_number(self, make_plate, make_htd):
        waves = ("FITC_05", "DAPI", "FITC_05")
        assert self.names(make_plate, make_htd, waves) == ["w1_FITC_05", "DAPI", "w3_FITC_05"]

    def test_a_name_that_looks_like_a_made_one(self, make_plate, make_htd):
        names = self.names(make_plate, make_htd, ("A", "A", "w1_A"))
        assert len(set(names)) == 3

    def test_blank_names_are_left_to_the_headers(self, make_plate, make_htd):
        assert self.names(make_plate, make_htd, ("", "DAPI", " ")) == ["", "DAPI", ""]

    def test_a_channel_beyond_the_htd_has_no_name(self, make_plate, make_htd):
        plate = HANDLER.build_inventory(make_plate(*paths(channels=(1, 2, 7)), plan=make_htd()))
        assert [channel.name for channel in plate.channels] == ["DAPI", "FITC", ""]


class TestMissing:
    """What another well, or another site, shows to be expected."""

    def test_one_plane(self, make_plate):
        root = make_plate(*paths())
        (root / "TimePoint_1" / "P_B03_s1_w2.TIF").unlink()
        plate = HANDLER.build_inventory(root)
        assert places(plate, PlaneState.NOT_RECORDED) == {("B03", 1, 2, 1, 1)}
        assert plate.state_counts()["present"] == 3
        (absent,) = [plane for plane in plate.planes if plane.state != PlaneState.PRESENT]
        assert (absent.uri, absent.kind) == ("", PlaneKind.ACQUIRED)

    def test_one_site_of_one_well(self, make_plate, make_htd):
        folders = [f"TimePoint_1/ZStep_{z}" for z in (0, 1, 2)]
        root = make_plate(
            *(p for p in paths(sites=(1, 2), folders=folders) if "B03_s2" not in p),
            plan=make_htd(sites=((True, True),), z_steps=2, projection=True),
        )
        plate = HANDLER.build_inventory(root)
        assert places(plate, PlaneState.NOT_RECORDED) == {("B03", 2, c, z, 1) for c in (1, 2) for z in (0, 1, 2)}
        assert all((p.kind == PlaneKind.PROJECTION) == (p.z_index == 0) for p in plate.planes)
        assert plate.differences == ()

    def test_a_whole_well_is_a_difference_only(self, make_plate, make_htd):
        plate = HANDLER.build_inventory(make_plate(*paths(wells=("B02",)), plan=make_htd()))
        assert plate.wells == ("B02",)
        assert plate.state_counts() == {word: 2 * (word == "present") for word in plate.state_counts()}
        assert plate.differences == ("P.HTD declares the well B03, and no file has it.",)

    def test_a_channel_without_a_stack_expects_none(self, make_plate, make_htd):
        # Channel 2 has one plane in every well: its other z-steps were never acquired.
        files = [*paths(channels=(1, 2), folders=["TimePoint_1/ZStep_1"])]
        files += paths(channels=(1,), folders=["TimePoint_1/ZStep_2", "TimePoint_1/ZStep_3"])
        plate = HANDLER.build_inventory(make_plate(*files, plan=make_htd(z_steps=3)))
        assert plate.state_counts()["not_recorded"] == 0
        assert len(plate.planes) == 8

    def test_a_timepoint_that_one_well_lacks(self, make_plate, make_htd):
        files = [*paths(), *paths(wells=("B02",), folders=("TimePoint_2",))]
        plate = HANDLER.build_inventory(make_plate(*files, plan=make_htd(timepoints=2)))
        assert places(plate, PlaneState.NOT_RECORDED) == {("B03", 1, c, 1, 2) for c in (1, 2)}

    def test_random_gaps_are_what_the_grid_of_what_is_there_lacks(self, make_plate):
        chance = np.random.default_rng(5)
        full = [
            (w, s, c, z, t)
            for w in ("B02", "B03", "C04")
            for s in (1, 2, 3)
            for c in (1, 2)
            for z in (1, 2)
            for t in (1, 2)
        ]
        kept = {place for place in full if chance.random() < 0.4}
        files = [f"TimePoint_{t}/ZStep_{z}/P_{w}_s{s}_w{c}.TIF" for w, s, c, z, t in kept]
        plate = HANDLER.build_inventory(make_plate(*files))
        expected = {
            (w, s, *stack)
            for w in {p[0] for p in kept}
            for s in {p[1] for p in kept}
            for stack in {p[2:] for p in kept}
        }
        assert places(plate) == kept
        assert places(plate, PlaneState.NOT_RECORDED) == expected - kept
        assert len(plate.planes) == len(expected)


class TestSeveralPlates:
    """Several plates in one folder."""

    def test_images_of_another_plate_are_left_out_and_counted(self, make_plate):
        plate = HANDLER.build_inventory(make_plate(*paths(), "TimePoint_1/Q_C07_s1_w1.TIF", "Q_C08.TIF"))
        assert plate.wells == ("B02", "B03")
        assert plate.differences == (
            "The names of some images begin with another plate's name than P; left out: Q (2).",
        )

    def test_a_renamed_htd_belongs_to_the_images_that_there_are(self, make_plate):
        plate = HANDLER.build_inventory(make_plate(*paths(), name="renamed.HTD"))
        assert plate.wells == ("B02", "B03")
        assert plate.differences == ()

    def test_of_several_plates_under_a_renamed_htd_the_one_of_most_images_counts(self, make_plate):
        root = make_plate(*paths(), "TimePoint_1/A_B02_s1_w1.TIF", "TimePoint_1/Z_B02_s1_w1.TIF", name="renamed.HTD")
        plate = HANDLER.build_inventory(root)
        assert plate.state_counts()["present"] == 4
        assert all(plane.uri.startswith("TimePoint_1/P_") for plane in plate.planes)
        assert plate.differences[-1].endswith("than P; left out: A (1), Z (1).")

    def test_a_name_in_another_case_or_unicode_form_is_the_same(self, make_plate, make_htd):
        plan = make_htd(wells=("B02",), waves=("DAPI",))
        root = make_plate(
            f"TimePoint_1/{unicodedata.normalize('NFD', 'É')}_B02_s1_w1.TIF", "TimePoint_1/A_B02_s1_w1.TIF",
            "TimePoint_1/A_B02_s2_w1.TIF", plan=plan, name=f"{unicodedata.normalize('NFC', 'é')}.HTD",
        )  # fmt: skip
        assert len(HANDLER.build_inventory(root).planes) == 1

    def test_several_plates_in_one_folder_are_refused(self, make_plate, make_htd):
        root = make_plate("P_B02.TIF", "Q_B02.TIF")
        (root / "Q.HTD").write_bytes(make_htd())
        with pytest.raises(PlateError, match=r"several plates \(P\.HTD, Q\.HTD\)"):
            HANDLER.build_inventory(root)

    def test_several_plates_under_a_renamed_htd_are_refused_where_none_has_most_images(self, make_plate):
        root = make_plate("TimePoint_1/P_B02_s1_w1.TIF", "TimePoint_1/Q_B02_s1_w1.TIF", name="renamed.HTD")
        with pytest.raises(PlateError, match=r"several plates \(P, Q\)"):
            HANDLER.build_inventory(root)

    def test_a_plate_whose_images_are_named_in_two_forms_of_unicode_is_one(self, make_plate, make_htd):
        names = [
            f"TimePoint_1/{unicodedata.normalize(f, 'É')}_{w}_s1_w1.TIF" for f, w in (("NFC", "B02"), ("NFD", "B03"))
        ]
        plate = HANDLER.build_inventory(make_plate(*names, plan=make_htd(waves=("DAPI",)), name="É.HTD"))
        assert places(plate) == {("B02", 1, 1, 1, 1), ("B03", 1, 1, 1, 1)}
        assert plate.differences == ()

    def test_a_copy_of_the_htd_beside_it_does_no_harm(self, make_plate):
        root = make_plate(*paths())
        (root / "Copy of P.HTD").write_bytes(b"")
        assert HANDLER.build_inventory(root).differences == ()


class TestNoImage:
    """Folders with an HTD and nothing to read."""

    def test_no_image_at_all(self, make_plate):
        with pytest.raises(PlateError, match=r"holds P\.HTD and no image such as TimePoint_1/P_A01_s1_w1\.TIF: "):
            HANDLER.build_inventory(make_plate("TimePoint_1/Thumbs.db"))

    def test_only_a_thumbnail(self, make_plate):
        with pytest.raises(PlateError, match="no image"):
            HANDLER.build_inventory(make_plate(f"TimePoint_1/P_B02_s1_thumb{GUID}.tif"))


class TestLinks:
    """Links are followed, circles are not, and nothing is ever written."""

    def test_a_plate_of_links(self, make_plate, tmp_path):
        original = make_plate(*paths())
        links = tmp_path / "links"
        (links / "TimePoint_1").mkdir(parents=True)
        (links / "P.HTD").symlink_to(original / "P.HTD")
        for path in paths():
            (links / path).symlink_to(original / path)
        assert HANDLER.build_inventory(links).planes.digest() == HANDLER.build_inventory(original).planes.digest()

    def test_linked_folders(self, make_plate, tmp_path):
        original = make_plate(*paths())
        links = tmp_path / "links"
        links.mkdir()
        (links / "P.HTD").symlink_to(original / "P.HTD")
        (links / "TimePoint_1").symlink_to(original / "TimePoint_1")
        assert HANDLER.build_inventory(links).planes.digest() == HANDLER.build_inventory(original).planes.digest()

    def test_circles(self, make_plate):
        root = make_plate(*paths())
        (root / "TimePoint_1" / "ZStep_1").symlink_to(root, target_is_directory=True)
        (root / "TimePoint_2").symlink_to(root / "TimePoint_1", target_is_directory=True)
        (root / "TimePoint_3").symlink_to(root / "TimePoint_3", target_is_directory=True)
        plate = HANDLER.build_inventory(root)
        assert places(plate) == {(w, 1, c, 1, 1) for w in ("B02", "B03") for c in (1, 2)}
        assert plate.differences == (
            "Links lead to folders that are listed already; left out: TimePoint_1/ZStep_1, TimePoint_2.",
        )

    def test_a_folder_counts_before_a_link_to_it(self, make_plate, make_htd):
        root = make_plate(*paths(folders=("TimePoint_2",)), plan=make_htd(timepoints=2))
        (root / "TimePoint_1").symlink_to(root / "TimePoint_2")
        plate = HANDLER.build_inventory(root)
        assert plate.timepoints == (2,)
        assert plate.differences[-1].endswith("left out: TimePoint_1.")

    def test_a_link_to_a_file_that_is_gone(self, make_plate):
        root = make_plate(*paths())
        gone = root / "TimePoint_1" / "P_B03_s1_w2.TIF"
        gone.unlink()
        gone.symlink_to(root / "elsewhere.TIF")
        plate = HANDLER.build_inventory(root)
        (plane,) = [plane for plane in plate.planes if plane.state != PlaneState.PRESENT]
        assert (plane.state, plane.uri) == (PlaneState.MISSING, "TimePoint_1/P_B03_s1_w2.TIF")

    def test_nothing_is_changed(self, make_plate, make_htd, fingerprint):
        root = make_plate(*paths(), plan=make_htd(timepoints=3))
        (root / "TimePoint_2").symlink_to(root)
        before = fingerprint(root)
        HANDLER.recognise(root)
        HANDLER.build_inventory(root)
        assert fingerprint(root) == before

    @pytest.mark.parametrize("error", [PermissionError, FileNotFoundError])
    def test_a_folder_that_cannot_be_listed_is_named(self, make_plate, monkeypatch, error):
        root = make_plate(*paths())
        scandir = os.scandir
        code = {PermissionError: errno.EACCES, FileNotFoundError: errno.ENOENT}[error]

        def refuse(path):
            if "TimePoint_1" in os.fspath(path):
                raise error(code, os.strerror(code))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", refuse)
        with pytest.raises(PlateError, match=r"TimePoint_1 cannot be listed"):
            HANDLER.build_inventory(root)


def test_each_folder_is_listed_once(make_plate, make_htd, monkeypatch):
    folders = [f"TimePoint_{t}/ZStep_{z}" for t in (1, 2) for z in (1, 2)]
    root = make_plate(*paths(folders=folders), plan=make_htd(z_steps=2, timepoints=2))
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(os.fspath(path)) or scandir(path))
    HANDLER.build_inventory(root)
    assert len(listed) == len(set(listed)) == 7
