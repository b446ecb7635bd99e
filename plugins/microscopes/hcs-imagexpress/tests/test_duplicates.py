"""Several files for one plane: one is the plane's, each other is a row of its own, and told."""

import pytest

from hcs_core import PlaneState
from hcs_imagexpress.handler import ImageXpressHandler

HANDLER = ImageXpressHandler()
GUID = "46C9B2CD-92F1-4DFD-98AA-6A01BBD77557"
LATER_GUID = "F6C9B2CD-92F1-4DFD-98AA-6A01BBD77557"


@pytest.fixture
def make_files(tmp_path):
    """Make empty files below a folder that holds an HTD where one is named."""

    def make(*paths):
        root = tmp_path / "plate"
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        return root

    return make


def check(root, kept, *others):
    """Check that all files are of one plane, of which `kept` is present, and that this is said."""
    plate = HANDLER.build_inventory(root)
    assert len({(p.well, p.site, p.channel, p.z_index, p.timepoint, p.kind) for p in plate.planes}) == 1
    assert [(p.uri, p.state) for p in plate.planes] == [
        (kept, PlaneState.PRESENT), *((other, PlaneState.DUPLICATE) for other in sorted(others))
    ]  # fmt: skip
    counts = plate.state_counts()
    assert (counts["present"], counts["duplicate"], sum(counts.values())) == (1, len(others), 1 + len(others))
    (sentence,) = [text for text in plate.differences if "Several files" in text]
    assert f"(kept: {kept})" in sentence
    for other in others:
        assert other in sentence
    return plate


class TestOfAnExport:
    """No acquisition tells them apart: the first by name is kept."""

    def test_two_spellings_of_the_extension(self, make_files):
        names = "TimePoint_1/P_B02_s1_w1.TIF", "TimePoint_1/P_B02_s1_w1.tif"
        check(make_files("P.HTD", *names), *names)

    def test_with_and_without_numbers(self, make_files):
        names = "TimePoint_1/P_B02.TIF", "TimePoint_1/P_B02_s1.TIF", "TimePoint_1/ZStep_1/P_B02_s1_w1.TIF"
        check(make_files("P.HTD", *names), *names)

    def test_numbers_with_a_zero(self, make_files):
        names = "TimePoint_1/P_B02_s01_w1.TIF", "TimePoint_1/P_B02_s1_w1.TIF"
        check(make_files("P.HTD", *names), *names)

    def test_two_folders_of_one_timepoint(self, make_files):
        names = "TimePoint_01/P_B02_s1_w1.TIF", "TimePoint_1/P_B02_s1_w1.TIF"
        check(make_files("P.HTD", *names), *names)

    def test_two_names_of_one_plate(self, make_files):
        names = "TimePoint_1/P_B02.TIF", "TimePoint_1/p_B02.TIF"
        check(make_files("P.HTD", *names), *names)


class TestOfTheDatabase:
    """The newest acquisition counts, as listing opens no file; within it the first by name."""

    def test_two_guids(self, make_files):
        names = [f"2023-02-21/1334/P_B02_s1_w1{guid}.tif" for guid in (GUID, LATER_GUID)]
        check(make_files(*names), *names)

    def test_two_spellings_of_the_extension(self, make_files):
        names = [f"2023-02-21/1334/P_B02_s1_w1{GUID}.{extension}" for extension in ("TIF", "tif", "tiff")]
        check(make_files(*names), *names)

    def test_two_acquisitions_of_a_day_are_compared_as_numbers(self, make_files):
        older, newer = f"2023-02-21/999/P_B02{GUID}.tif", f"2023-02-21/1334/P_B02{LATER_GUID}.tif"
        plate = check(make_files(older, newer), newer, older)
        assert plate.differences[0] == (
            "The images are of several acquisitions, taken together: 2023-02-21/999, 2023-02-21/1334."
        )

    def test_the_day_counts_before_the_number(self, make_files):
        older, newer = f"2023-02-21/1334/P_B02{GUID}.tif", f"2023-11-01/7/P_B02{LATER_GUID}.tif"
        check(make_files(older, newer), newer, older)

    def test_the_folder_of_a_day_holds_several_acquisitions(self, make_files, tmp_path):
        names = f"2023-02-21/1334/P_B02{LATER_GUID}.tif", f"2023-02-21/999/P_B02{GUID}.tif"
        make_files(*names)
        check(tmp_path / "plate" / "2023-02-21", *(name.removeprefix("2023-02-21/") for name in names))

    def test_a_file_that_is_gone_is_no_newer_one(self, make_files):
        older, newer = f"2023-02-21/1/P_B02{GUID}.tif", f"2023-02-21/2/P_B02{LATER_GUID}.tif"
        root = make_files(older, newer)
        (root / newer).unlink()
        (root / newer).symlink_to(root / "nowhere")
        check(root, older, newer)

    def test_where_all_are_gone_the_plane_is_missing_once(self, make_files):
        older, newer = f"2023-02-21/1/P_B02{GUID}.tif", f"2023-02-21/2/P_B02{LATER_GUID}.tif"
        root = make_files(older, newer)
        for name in (older, newer):
            (root / name).unlink()
            (root / name).symlink_to(root / "nowhere")
        counts = HANDLER.build_inventory(root).state_counts()
        assert (counts["present"], counts["missing"], counts["duplicate"]) == (0, 1, 1)

    def test_a_second_acquisition_of_other_wells_is_no_copy(self, make_files):
        plate = HANDLER.build_inventory(
            make_files(f"2023-02-21/1/P_B02{GUID}.tif", f"2023-02-22/2/P_B03{LATER_GUID}.tif")
        )
        assert plate.wells == ("B02", "B03")
        assert plate.state_counts()["present"] == 2
        assert plate.differences == (
            "The images are of several acquisitions, taken together: 2023-02-21/1, 2023-02-22/2.",
        )

    def test_beside_other_planes_only_the_copies_are_duplicates(self, make_files):
        wells, sites = ("B02", "C03"), (1, 2)
        first = [f"2023-02-21/1/P_{w}_s{s}_w1{GUID}.tif" for w in wells for s in sites]
        second = [f"2023-02-22/1/P_{w}_s2_w1{GUID}.tif" for w in wells]
        plate = HANDLER.build_inventory(make_files(*first, *second))
        found = {(plane.well, plane.site, plane.state): plane.uri for plane in plate.planes}
        assert found == {
            **{(w, 1, PlaneState.PRESENT): f"2023-02-21/1/P_{w}_s1_w1{GUID}.tif" for w in wells},
            **{(w, 2, PlaneState.PRESENT): f"2023-02-22/1/P_{w}_s2_w1{GUID}.tif" for w in wells},
            **{(w, 2, PlaneState.DUPLICATE): f"2023-02-21/1/P_{w}_s2_w1{GUID}.tif" for w in wells},
        }


@pytest.mark.parametrize("family", ["export", "database"])
def test_the_order_of_the_file_system_does_not_matter(make_files, list_in_order, family):
    if family == "export":
        names = [f"TimePoint_1/{p}_B02_s1_w1.{e}" for p in ("P", "p") for e in ("TIF", "Tif", "tif")]
    else:
        folders = ("2023-02-21/9", "2023-02-21/10", "2022-12-31/11")
        names = [f"{f}/{p}_B02{g}.tif" for f in folders for p in ("P", "p") for g in (GUID, LATER_GUID)]
    root = make_files("P.HTD", *names)
    found = []
    for backwards in (False, True):
        list_in_order(backwards)
        plate = HANDLER.build_inventory(root)
        found.append((plate.digest(), plate.differences))
    assert found[0] == found[1]
    assert plate.state_counts()["duplicate"] == len(names) - 1


def test_nothing_is_changed(make_files, fingerprint):
    root = make_files(f"2023-02-21/1/P_B02{GUID}.tif", f"2023-02-21/2/P_B02{GUID}.tif")
    before = fingerprint(root)
    HANDLER.build_inventory(root)
    assert fingerprint(root) == before
