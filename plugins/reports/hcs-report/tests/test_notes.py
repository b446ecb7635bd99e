"""What the words of a picture say."""

import attrs
import numpy as np

from hcs_core import PlaneState
from hcs_report.notes import (
    MOST_LINES,
    channel_caption,
    channel_title,
    explanation,
    listing,
    sites_text,
    summary,
    usual_plane,
)


def test_the_summary_counts_the_wells_of_the_plate(picture_of):
    states = {("B02", 1, 1, 1, 1): PlaneState.MISSING}
    picture = picture_of(wells=("A01", "B02"), states=states, plate_format=(8, 12))
    assert summary(picture) == (
        "made_up, 96 wells (8 x 12): 1 with all planes, 1 that lack some, 94 without an image"
    )


def test_a_channel_says_its_limits_and_which_plane_is_shown(picture_of):
    picture = picture_of(wells=("A01",), channels=("DAPI",), pixels=lambda *_: np.array([[1_200, 34_000]], "u2"))
    (channel,) = picture.channels
    assert channel_title(attrs.evolve(channel, wavelength_nm=455.0)) == "DAPI (455 nm)"
    assert channel_caption(picture, channel) == "black 1,200, white 34,000; site 1, z 1, timepoint 1"
    broken = attrs.evolve(channel, limits=(0.25, 1.5))
    assert channel_caption(picture, broken) == "black 0.25, white 1.5; site 1, z 1, timepoint 1"


def test_a_channel_of_which_nothing_could_be_read_says_so(picture_of):
    picture = picture_of(channels=("DAPI",), pixels=lambda *_: None)
    assert channel_caption(picture, picture.channels[0]) == "nothing could be read"
    assert explanation(picture) == "No image of this plate could be read."


def test_it_is_said_how_many_pixels_were_averaged(picture_of):
    assert "is one of its image" in explanation(picture_of())
    picture = picture_of(block=3)
    assert "mean of 3 x 3 pixels" in explanation(picture)
    assert "percentiles 1 and 99.8" in explanation(picture)
    key = ("A01", 1)
    other = attrs.evolve(picture.thumbnails[key], block=8)
    picture = attrs.evolve(picture, thumbnails={**picture.thumbnails, key: other})
    assert "mean of 3 x 3 to 8 x 8 pixels" in explanation(picture)


def test_what_is_absent_is_listed_by_well_and_channel(picture_of):
    states = {("A02", site, 1, z_index, 1): PlaneState.MISSING for site in (1, 2, 3, 5) for z_index in (1, 2)}
    states[("A01", 4, 2, 1, 1)] = PlaneState.NOT_RECORDED
    picture = picture_of(sites=(1, 2, 3, 4, 5), z_indexes=(1, 2), states=states)
    assert listing(picture) == [
        "A01 GFP, site 4: 1 plane not recorded",
        "A02 DAPI, sites 1-3, 5: 8 planes missing",
    ]


def test_a_well_that_shows_another_plane_is_listed(picture_of):
    picture = picture_of(wells=("A01", "A02", "A03"), channels=("DAPI",))
    other = attrs.evolve(picture.thumbnails["A02", 1], site=4, z_index=0)
    picture = attrs.evolve(picture, thumbnails={**picture.thumbnails, ("A02", 1): other})
    assert usual_plane(picture, 1) == "site 1, z 1, timepoint 1"
    assert listing(picture) == ["A02 DAPI shows site 4, projection, timepoint 1"]


def test_a_long_list_ends_with_how_many_more_there_are(picture_of):
    wells = [f"A{number:02d}" for number in range(1, 49)]
    states = {(well, 1, 1, 1, 1): PlaneState.MISSING for well in wells}
    lines = listing(picture_of(wells=wells, channels=("DAPI",), sites=(1, 2), states=states))
    assert len(lines) == MOST_LINES
    assert lines[-1] == f"... and {48 - MOST_LINES + 1} more lines like these"


def test_sites_are_written_as_people_do():
    assert [sites_text(sites) for sites in ([3], [1, 2], [1, 3, 4, 5, 9])] == [
        "site 3",
        "sites 1-2",
        "sites 1, 3-5, 9",
    ]
