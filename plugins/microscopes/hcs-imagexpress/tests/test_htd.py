"""The HTD file is read as far as it goes, whatever its bytes."""

import pytest

from hcs_core import PlateError
from hcs_imagexpress.htd import parse_htd, read_htd


def test_reads_the_plan(make_htd):
    plan = parse_htd(
        "P.HTD",
        make_htd(
            wells=("A01", "H12"),
            sites=((True, False), (False, True)),
            waves=("DAPI", "Cy5"),
            z_steps=3,
            projection=True,
            timepoints=2,
        ),
    )
    assert plan.name == "P.HTD"
    assert plan.whole
    assert plan.plate_format == (8, 12)
    assert plan.wells == ("A01", "H12")
    assert plan.site_grid == {1: (0, 0), 2: (1, 1)}
    assert plan.wave_names == {1: "DAPI", 2: "Cy5"}
    assert plan.channels == (1, 2)
    assert plan.z_indexes == (0, 1, 2, 3)
    assert plan.timepoints == (1, 2)


def test_sites_are_numbered_in_reading_order_over_the_selected_cells(make_htd):
    rows = tuple(tuple((y, x) in {(0, 4), (2, 0), (2, 3), (4, 1)} for x in range(5)) for y in range(5))
    plan = parse_htd("P.HTD", make_htd(sites=rows))
    assert plan.site_grid == {1: (0, 4), 2: (2, 0), 3: (2, 3), 4: (4, 1)}


def test_without_sites_there_is_one(make_htd):
    assert parse_htd("P.HTD", make_htd(sites=None)).site_grid == {1: (0, 0)}
    # Some write a grid all the same.
    assert parse_htd("P.HTD", make_htd(sites=None, XSites="3", YSites="3")).site_grid == {1: (0, 0)}


def test_missing_site_selections_select_all(make_htd):
    plan = parse_htd("P.HTD", make_htd(sites=((True, True),) * 2, leave_out=("SiteSelection1", "SiteSelection2")))
    assert plan.site_grid == {1: (0, 0), 2: (0, 1), 3: (1, 0), 4: (1, 1)}


def test_a_missing_grid_is_unknown(make_htd):
    assert parse_htd("P.HTD", make_htd(leave_out=("XSites",))).site_grid == {}


def test_a_wavelength_that_is_not_collected_is_no_channel(make_htd):
    plan = parse_htd("P.HTD", make_htd(waves=("a", "b", "c"), collect=(1, 3)))
    assert plan.channels == (1, 3)
    assert plan.wave_names == {1: "a", 2: "b", 3: "c"}


def test_without_waves_there_is_one_channel(make_htd):
    assert parse_htd("P.HTD", make_htd(waves=("a", "b"), Waves="FALSE")).channels == (1,)


def test_a_projection_without_a_stack_is_none(make_htd):
    assert parse_htd("P.HTD", make_htd(z_steps=0, projection=True)).z_indexes == (1,)


def test_names_keep_commas_and_quotes(make_htd):
    plan = parse_htd("P.HTD", make_htd(waves=('a, "b"', " c ")))
    assert plan.wave_names == {1: 'a, "b"', 2: "c"}


def test_bytes_that_are_no_utf8_are_read():
    lines = (
        b'"HTSInfoFile", Version 1.0',
        b'"Description", "a\x82\x81b \xb5 \x8d"',
        b'"WaveName1", "\xb5m\xe9"',
        b'"EndFile"',
    )
    content = b"".join(line + b"\r\n" for line in lines)
    plan = parse_htd("P.HTD", content)
    assert plan.whole
    assert plan.wave_names == {1: "µmé"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end(make_htd, end):
    content = make_htd().replace(b"\r\n", end.encode())
    assert parse_htd("P.HTD", content) == parse_htd("P.HTD", make_htd())


def test_cut_anywhere_what_was_read_counts(make_htd):
    whole = make_htd(wells=("A01", "H12"), sites=((True, True), (True, False)), z_steps=12, timepoints=25)
    full = parse_htd("P.HTD", whole)
    end = whole.index(b'"EndFile"') + len(b'"EndFile"')
    for length in range(end):
        plan = parse_htd("P.HTD", whole[:length])
        assert not plan.whole
        assert plan.plate_format in {None, full.plate_format}
        assert set(plan.wells) <= set(full.wells)
        # A line that is missing selects all sites of its row: there may be more of them than planned.
        assert plan.site_grid == {} or plan.site_grid.items() >= full.site_grid.items()
        assert plan.wave_names.items() <= full.wave_names.items()
        assert plan.z_indexes in {None, full.z_indexes, tuple(range(1, 13))}
        assert plan.timepoints in {None, full.timepoints}
    assert parse_htd("P.HTD", whole[:end]) == full


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 300, b"\xff\xfe\x00", b'"TimePoints", 99999999999\r\n"XWells", x\r\n"YWells", -3\r\n']
)
def test_anything_else_says_nothing(content):
    plan = parse_htd("P.HTD", content)
    assert not plan.whole
    assert (plan.plate_format, plan.wells, plan.site_grid, plan.channels, plan.z_indexes, plan.timepoints) == (
        None, (), {}, None, None, None,
    )  # fmt: skip


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(PlateError, match=r"gone\.HTD"):
        read_htd(tmp_path / "gone.HTD")


def test_real_plans(samples):
    single = read_htd(samples / "9987_Plate_3420" / "9987.HTD")
    assert (single.whole, single.plate_format, single.wells) == (True, (8, 12), ("B02",))
    assert (single.site_grid, single.channels, single.z_indexes, single.timepoints) == ({1: (0, 0)}, (1,), (1,), (1,))
    mixed = read_htd(samples / "9987_Plate_3434" / "9987.HTD")
    assert (mixed.wells, mixed.site_grid) == (("B02", "B03"), {1: (0, 0), 2: (0, 1)})
    assert mixed.wave_names == {1: "DAPI", 2: "FITC", 3: "Texas Red", 4: "Cy5"}
    assert mixed.z_indexes == (0, 1, 2, 3)
