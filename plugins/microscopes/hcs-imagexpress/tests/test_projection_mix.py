"""A plate as a real one of the database: stacks with projections, one channel of these only, one of single planes."""

from itertools import product

import numpy as np
import pytest
import tifffile

from hcs_core import PlaneKind, PlaneState, PluginManager, SitePosition, open_plate
from hcs_imagexpress.handler import ImageXpressHandler
from hcs_imagexpress.texts import metaseries_text

HANDLER = ImageXpressHandler()
WELLS, SITES = ("E07", "E08"), (1, 2)
Z_INDEXES = {1: range(11), 2: range(11), 3: [0], 4: [1]}
"""The z_indexes of each channel, 0 for the projection."""

TRUTH = [(w, s, c, z) for w, s in product(WELLS, SITES) for c, z_indexes in Z_INDEXES.items() for z in z_indexes]
FOCUS_UM, STEP_UM, PIXEL_UM = 9318.24, 5.0, 1.3668


def pixels(well, site, channel, z_index):
    """Give every plane pixels that say which plane it is."""
    return np.asarray([[int(well[1:]), site], [channel, z_index]], np.uint16)


def text(well, site, channel, z_index):
    """Return a MetaSeries text with what tells planes apart; channels are called the same, as in the real plate."""
    middle = FOCUS_UM + 4.5 * STEP_UM
    place = {"OffsetFromWellCenterUmX": 349.92 * (2 * site - 3), "OffsetFromWellCenterUmY": 0.04}
    return metaseries_text(
        {"Description": "Plate Name: Projection-Mix"},
        {
            "spatial-calibration-state": True,
            "spatial-calibration-x": PIXEL_UM,
            "spatial-calibration-units": "um",
            "stage-label": f"{well} : Site {site}",
            # Channels are focussed apart.
            "z-position": 3 * channel + (FOCUS_UM + (z_index - 1) * STEP_UM if z_index else middle),
            "_IllumSetting_": "FITC_05",
            "wavelength": 536,
            "plane-guid": f"{{{well}-{site}-{channel}-{z_index}}}",
        },
        place | ({"Z Step": z_index} if z_index else {"Z Projection Method": "Maximum"}),
    )


@pytest.fixture
def make_mix(make_database):
    """Make the plate without some planes; `folders` says where z-steps lie below the acquisition."""

    def make(*without, folders="ZStep_{z}/", beside=""):
        places = {}
        for well, site, channel, z_index in TRUTH:
            folder = folders.format(z=z_index) if z_index else beside
            for thumb in ("", "_thumb"):
                path = f"2023-02-21/1334/{folder}Projection-Mix_{well}_s{site}_w{channel}{thumb}.tif"
                if (well, site, channel, z_index) not in without:
                    places[path] = (well, site, channel, z_index)
        root, written = make_database(*places)
        for path, place in places.items():
            tifffile.imwrite(root / written[path], pixels(*place), description=text(*place), metadata=None)
        return root, {place: written[path] for path, place in places.items() if "_thumb" not in path}

    return make


@pytest.mark.parametrize(
    ("folders", "beside"),
    [
        ("ZStep_{z}/", ""),
        ("TimePoint_1/ZStep_{z}/", "TimePoint_1/"),
        ("ZStep_{z}/TimePoint_1/", "TimePoint_1/"),
        ("ZStep_{z}/TimePoint_1/", ""),
    ],
)
def test_every_plane_of_the_inventory(make_mix, folders, beside):
    root, written = make_mix(folders=folders, beside=beside)
    plate = HANDLER.build_inventory(root)
    assert [(p.well, p.site, p.channel, p.z_index) for p in plate.planes] == sorted(TRUTH)
    for plane in plate.planes:
        place = (plane.well, plane.site, plane.channel, plane.z_index)
        assert (plane.uri, plane.state, plane.timepoint) == (written[place], PlaneState.PRESENT, 1)
        assert plane.kind == (PlaneKind.PROJECTION if plane.z_index == 0 else PlaneKind.ACQUIRED)
        with tifffile.TiffFile(root / plane.uri) as tiff:
            np.testing.assert_array_equal(tiff.asarray(), pixels(*place))
            facts = HANDLER.parse_header(tiff.pages.first.description)
        assert (facts.well, facts.site, facts.z_index) == (plane.well, plane.site, plane.z_index or None)
        assert facts.is_projection == (plane.kind == PlaneKind.PROJECTION)
    assert plate.z_indexes == tuple(range(1, 11))
    assert plate.differences == ()


def test_what_one_site_lacks_is_not_recorded_and_what_a_channel_never_had_is_not_there(make_mix):
    gone = {("E07", 1, 1, 4), ("E07", 2, 2, 0), ("E08", 2, 3, 0), ("E08", 1, 4, 1)}
    root, written = make_mix(*gone)
    planes = list(HANDLER.build_inventory(root).planes)
    assert {(p.well, p.site, p.channel, p.z_index) for p in planes if p.state == PlaneState.NOT_RECORDED} == gone
    assert {(p.well, p.site, p.channel, p.z_index): p.uri for p in planes if p.uri} == written
    assert len(planes) == len(TRUTH)


def test_headers_give_what_names_do_not(make_mix):
    plugins = PluginManager()
    plugins.discover()
    if "tiff" not in plugins.readers:
        pytest.skip("no reader of TIFF is installed: pip install hcs-disk")
    root, _ = make_mix()
    plate = open_plate(root, plugins=plugins)
    assert plate.microscope == "imagexpress"
    # Four channels of one name are made unique by their number.
    assert [(c.number, c.name, c.wavelength_nm) for c in plate.channels] == [
        (number, f"w{number}_FITC_05", 536.0) for number in (1, 2, 3, 4)
    ]
    assert plate.z_step_um == pytest.approx(STEP_UM)
    assert (plate.pixel_size_um, plate.image_shape, plate.dtype) == (PIXEL_UM, (2, 2), "uint16")
    # Headers and folders agree on what is a projection and which z-step a plane is.
    assert plate.differences == ()


def test_a_position_is_the_offset_from_the_well_s_centre():
    assert HANDLER.parse_header(text("E07", 2, 1, 1).decode()).position == SitePosition(y_um=0.04, x_um=349.92)
