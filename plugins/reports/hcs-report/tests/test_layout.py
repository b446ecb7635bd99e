"""Where everything lies: every well has a place of its own, marks lie within it, and nothing leaves the page."""

import itertools

import numpy as np
import pytest

from hcs_core import thumbnail_side, well_name
from hcs_core.testing.plates import make_plate
from hcs_report.layout import layout_of

FORMATS = [(1, 1), (2, 3), (8, 12), (16, 24), (32, 48)]


def full(rows, columns):
    return [well_name(row, column) for row in range(rows) for column in range(columns)]


def within(inner, outer):
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


@pytest.mark.parametrize("plate_format", FORMATS)
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_no_two_wells_share_a_pixel_and_all_lie_on_the_page(picture_of, plate_format, count):
    rows, columns = plate_format
    # A corner and a well in the middle are used: some rows and columns are narrow, others are not.
    wells = sorted({"A01", well_name(rows // 2, columns // 2)})
    channels = tuple(f"channel {number}" for number in range(count))
    layout = layout_of(picture_of(wells=wells, channels=channels, plate_format=plate_format))
    page = np.zeros((layout.foot, layout.width), np.uint8)
    for channel, well in itertools.product(range(1, count + 1), full(rows, columns)):
        cell = layout.cell(channel, well)
        assert within(cell, layout.panels[channel])
        page[cell.top : cell.bottom, cell.left : cell.right] += 1
    assert page.max() == 1
    for panel in layout.panels.values():
        assert panel.right <= layout.width
        assert panel.bottom <= layout.foot


def test_wells_lie_as_on_the_plate(picture_of):
    layout = layout_of(picture_of(wells=full(8, 12)))
    lefts = [layout.cell(1, well_name(3, column)).left for column in range(12)]
    tops = [layout.cell(1, well_name(row, 5)).top for row in range(8)]
    assert lefts == sorted(set(lefts))
    assert tops == sorted(set(tops))
    assert layout.cell(1, "A05").left == layout.cell(1, "H05").left
    assert layout.cell(2, "C07").width == layout.cell(1, "A01").width


def test_rows_and_columns_without_an_image_are_narrow(picture_of):
    layout = layout_of(picture_of(wells=("B02", "G11"), plate_format=(8, 12)))
    assert {number for number in range(12) if layout.columns[number][1] > 22} == {1, 10}
    assert {number for number in range(8) if layout.rows[number][1] > 22} == {1, 6}


def test_small_thumbnails_are_not_made_narrower(picture_of):
    layout = layout_of(picture_of(wells=("AF48",), pixels=lambda *_: np.ones((16, 16), np.uint8)))
    assert {length for _, length in layout.columns} == {20}


def test_a_thumbnail_lies_in_the_middle_of_its_cell_and_marks_in_the_corners(picture_of):
    layout = layout_of(picture_of(wells=("A01", "A02")))
    cell = layout.cell(1, "A02")
    thumbnail = layout.thumbnail(1, "A02", (40, 30))
    assert (thumbnail.left, thumbnail.top) == (cell.left + layout.frame, cell.top + layout.frame)
    assert (thumbnail.right, thumbnail.bottom) == (cell.right - layout.frame, cell.bottom - layout.frame)
    absent, unreadable = layout.absent_mark(1, "A02"), layout.unreadable_mark(1, "A02")
    assert (absent.right, absent.top) == (thumbnail.right, thumbnail.top)
    assert (unreadable.left, unreadable.top) == (thumbnail.left, thumbnail.top)
    assert unreadable.right <= absent.left
    assert within(layout.sites_strip(1, "A02", 15), thumbnail)


@pytest.mark.parametrize("count", [1, 4, 6])
@pytest.mark.parametrize("plate_format", [(1, 1), (8, 12), (16, 24), (32, 48)])
def test_a_page_has_a_sensible_size(picture_of, plate_format, count):
    wells = full(*plate_format)
    channels = tuple(map(str, range(count)))
    side = thumbnail_side(make_plate(wells=wells, channels=channels))
    pixels = np.zeros((side, side), np.uint8)
    layout = layout_of(picture_of(wells=wells, channels=channels, pixels=lambda *_: pixels))
    assert 900 <= layout.width <= 4_500
    assert layout.foot <= 3_500
