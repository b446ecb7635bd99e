"""Patterns: a placeholder where the site's number stands, in any grammar."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, strategies as st

from hcs_core import ParsedName
from hcs_core.plate.found_images import FoundImage
from hcs_core.plate.site_patterns import SITE, site_pattern, site_patterns
from hcs_core.testing import FakeMicroscope, make_plate
from hcs_imagexpress.names import MetaXpressParser

PARSER = MetaXpressParser()
GUID = "17654C10-92F1-4DFD-98AA-6A01BBD77557"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("P_B02_s1_w1.TIF", "P_B02_s{iii}_w1.TIF"),
        ("TimePoint_1/ZStep_1/P_B01_s1_w1.TIF", "TimePoint_1/ZStep_1/P_B01_s{iii}_w1.TIF"),
        ("1_1_B11_s11_w11.TIF", "1_1_B11_s{iii}_w11.TIF"),
        ("P_B02_s9_w9.TIF", "P_B02_s{iii}_w9.TIF"),
        ("P_B02_s001_w1.tif", "P_B02_s{iii}_w1.tif"),
        ("P_s1_w2_B02_s1_w2.TIF", "P_s1_w2_B02_s{iii}_w2.TIF"),
        # The digits after the site's are the GUID's.
        (f"P_B02_s1{GUID}.tif", f"P_B02_s{{iii}}{GUID}.tif"),
        (f"P_B02_s11{GUID}.tif", f"P_B02_s{{iii}}{GUID}.tif"),
        # The last number that the grammar takes: only one below it is another site.
        ("P_B02_s99999_w1.TIF", "P_B02_s{iii}_w1.TIF"),
        # No site, no image.
        ("P_B02_w1.TIF", "P_B02_w1.TIF"),
        ("P_B02_s1_w1_thumb.tif", "P_B02_s1_w1_thumb.tif"),
        ("readme 1.txt", "readme 1.txt"),
    ],
)
def test_the_site_s_digits_are_found(name, pattern):
    assert site_pattern(name, PARSER) == pattern


numbers = st.integers(1, 120)
metaxpress = st.builds(
    ParsedName,
    plate=st.sampled_from(["P", "7", "Exp_B02_s1", "1_1"]),
    well=st.sampled_from(["A01", "B11", "AA10"]),
    site=numbers,
    channel=st.none() | numbers,
    z_index=st.none() | numbers,
    timepoint=st.none() | numbers,
)
fake = st.builds(ParsedName, well=st.just("B02"), site=numbers, channel=numbers, z_index=numbers, timepoint=numbers)


@given(st.tuples(st.just(PARSER), metaxpress) | st.tuples(st.just(FakeMicroscope.parser), fake), numbers)
def test_the_pattern_with_another_number_is_the_name_of_that_site(case, other):
    parser, name = case
    pattern = site_pattern(parser.construct_filename(name), parser)
    assert pattern.count(SITE) == 1
    assert parser.parse_filename(pattern.replace(SITE, str(other))) == attrs.evolve(name, site=other)


def found(name, channel):
    says = PARSER.parse_filename(name)
    return FoundImage(
        well=says.well, site=says.site, channel=channel, z_index=1, timepoint=1, name=name, location=name, selector=0,
        reader="tiff",
    )  # fmt: skip


def test_images_that_differ_in_the_site_only_share_a_pattern_and_others_do_not():
    images = [
        *(found(f"P_A01_s{site}.TIF", 1) for site in (1, 2, 10)),
        # The name before it, with something that is no number in the site's place.
        found("P_A01_s1_w2.TIF", 2),
        found("P_A01_s2_w2.TIF", 2),
        found("P_A02_s2_w7.TIF", 7),
    ]
    plate = make_plate(wells=("A01", "A02"), channels=("DAPI", "GFP"))
    assert site_patterns(images, plate, PARSER) == {
        "A01": {"DAPI": ("P_A01_s{iii}.TIF",), "GFP": ("P_A01_s{iii}_w2.TIF",)},
        # A channel that the plate does not have is called by its number.
        "A02": {"channel7": ("P_A02_s{iii}_w7.TIF",)},
    }
