"""The traps of MetaXpress' file names: one test for each, against the regular expression and the parser."""

import unicodedata

import pytest

from hcs_core import PlaneKind, PlateError
from hcs_imagexpress.names import IMAGE_NAME, DatabaseName, MetaXpressParser

PARSER = MetaXpressParser()
GUID = "46C9B2CD-92F1-4DFD-98AA-6A01BBD77557"


def read(path):
    """Return plate, well, site and channel of a path, or `None`."""
    name = PARSER.parse_filename(path)
    return None if name is None else (name.plate, name.well, name.site, name.channel)


def parts(name):
    """Return site, channel and GUID as the regular expression finds them in a name."""
    match = IMAGE_NAME.fullmatch(name)
    return match["site"], match["channel"], match["guid"]


def test_a_guid_that_begins_with_a_digit_is_told_from_the_wavelength_by_its_length():
    assert parts(f"P_B02_s12_w1{GUID}.tif") == ("12", "1", GUID)
    assert parts(f"P_B02_s12_w14{GUID}.tif") == ("12", "14", GUID)
    assert parts("P_B02_w111111111-1111-1111-1111-111111111111.tif") == (
        None,
        "1",
        "1" * 8 + "-1111" * 3 + "-" + "1" * 12,
    )


def test_a_guid_that_begins_with_a_digit_is_told_from_the_site_by_its_length():
    # The second is how a real file is named: site 1, and not site 117654.
    guid = "17654C10-92F1-4DFD-98AA-6A01BBD77557"
    assert parts(f"P_E08_s1{guid}.tif") == ("1", None, guid)
    assert parts(f"P_E08_s10{guid}.tif") == ("10", None, guid)
    assert read(f"Projection-Mix_E08_s1{guid}.tif") == ("Projection-Mix", "E08", 1, None)


def test_a_guid_that_begins_with_a_digit_is_told_from_the_well_by_its_length():
    assert read("P_E0812345678-92F1-4DFD-98AA-6A01BBD77557.tif") == ("P", "E08", None, None)


def test_a_guid_of_another_length_is_none():
    assert read(f"P_B02_s1{GUID[1:]}.tif") is None
    assert read(f"P_B02_s1G{GUID[1:]}.tif") is None
    assert read(f"P_B02{GUID}{GUID}.tif") is None


def test_a_guid_in_lower_case():
    name = PARSER.parse_filename(f"P_E08_w2{GUID.lower()}.tif")
    assert name == DatabaseName(plate="P", well="E08", channel=2, guid=GUID.lower())


def test_a_guid_in_brackets():
    name = PARSER.parse_filename(f"P_E08_s2_w3_[{GUID}].tif")
    assert name == DatabaseName(plate="P", well="E08", site=2, channel=3, guid=GUID)
    # Half of the brackets are none.
    assert read(f"P_E08_s2_w3_[{GUID}.tif") is None
    assert read(f"P_E08_s2_w3{GUID}].tif") is None


def test_a_path_with_a_guid_cannot_be_constructed():
    name = PARSER.parse_filename(f"2023-02-21/1334/ZStep_2/P_B02_s1_w3{GUID}.tif")
    with pytest.raises(PlateError, match="its GUID is known to the MetaXpress database only"):
        PARSER.construct_filename(name)


def test_folders_of_the_day_and_the_acquisition_say_no_component():
    name = PARSER.parse_filename(f"2023-02-21/1334/TimePoint_3/ZStep_2/P_B02_s1_w4{GUID}.tif")
    assert name == DatabaseName(plate="P", well="B02", site=1, channel=4, z_index=2, timepoint=3, guid=GUID)


def test_the_last_token_that_looks_like_a_well_is_the_well():
    assert read("Exp_B02_C03_D04_s1.TIF") == ("Exp_B02_C03", "D04", 1, None)
    assert read("Exp_B2_2D_T1_E07_s2_w1.TIF") == ("Exp_B2_2D_T1", "E07", 2, 1)
    assert read(f"A01_B02_C03{GUID}.tif") == ("A01_B02", "C03", None, None)


def test_a_plate_name_that_looks_like_a_site_and_a_wavelength():
    assert read("a_s1_w2_B02.TIF") == ("a_s1_w2", "B02", None, None)
    assert read("a_B02_s1_w2_B03_s4.TIF") == ("a_B02_s1_w2", "B03", 4, None)


def test_a_wavelength_of_two_digits_is_no_well():
    # Were the expression blind to case, `w10` would be the well W10.
    assert read("P_w10.TIF") is None
    assert read("P_B02_w10.TIF") == ("P", "B02", None, 10)
    assert read("P_B02_s1_w10.TIF") == ("P", "B02", 1, 10)
    assert read("P_B02_W10.TIF") == ("P_B02", "W10", None, None)


def test_a_well_is_of_upper_case():
    assert read("P_b02.TIF") is None
    assert read("P_aa01.TIF") is None


def test_a_site_and_a_wavelength_are_of_lower_case():
    assert read("P_B02_S1.TIF") is None


def test_no_site():
    assert read("P_B02_w4.TIF") == ("P", "B02", None, 4)
    assert read(f"P_B02_w4{GUID}.tif") == ("P", "B02", None, 4)


def test_no_wavelength():
    assert read("P_B02_s3.TIF") == ("P", "B02", 3, None)
    assert read(f"P_B02_s3{GUID}.tif") == ("P", "B02", 3, None)


def test_neither_site_nor_wavelength():
    assert read("P_B02.TIF") == ("P", "B02", None, None)
    assert read(f"P_B02{GUID}.tif") == ("P", "B02", None, None)


def test_files_of_macos_that_begin_with_a_dot_and_an_underscore():
    assert read("._P_B02_s1_w1.TIF") is None
    assert read(f"2023-02-21/1334/._P_B02_s1_w1{GUID}.tif") is None


def test_hidden_files():
    assert read(".P_B02.TIF") is None
    assert read(".DS_Store") is None


def test_thumbnails():
    assert read(f"P_B02_s1_thumb{GUID}.tif") is None
    assert read(f"P_B02_s1_w2_thumb{GUID}.tif") is None
    assert read("P_B02_s1_thumb.tif") is None
    # A plate may be called so.
    assert read("P_thumb_B02_s1.tif") == ("P_thumb", "B02", 1, None)


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", "P.HTD", "P_B02_s1_w1.tif.statistics.json"])
def test_files_that_lie_beside_images(name):
    assert read(name) is None
    assert read(f"TimePoint_1/{name}") is None


def test_a_well_of_one_digit_is_none():
    # MetaXpress writes A01. `A1` at the end of a plate's name must not be taken for a well.
    assert read("P_A1.TIF") is None
    assert read("P_A1_s1.TIF") is None
    assert read("P_A1_B02.TIF") == ("P_A1", "B02", None, None)


def test_a_well_with_a_dash_is_none():
    assert read("P_A - 1.TIF") is None
    assert read("P_A - 01.TIF") is None


@pytest.mark.parametrize("well", ["A01", "P24", "AA01", "AA48", "AF01", "AF48"])
def test_wells_of_plates_of_up_to_1536(well):
    assert read(f"P_{well}_s1.TIF") == ("P", well, 1, None)


@pytest.mark.parametrize("well", ["A00", "A49", "AG01", "BA01", "AAA01", "A001", "B0\u0662"])
def test_what_is_no_well_of_any_plate(well):
    assert read(f"P_{well}.TIF") is None


@pytest.mark.parametrize(
    "plate", ["my_plate", "my plate", "a.b", "plate #1", "10 µm", "板", "100% (2)", "two\nlines", "P_46C9B2CD-92F1"]
)
def test_any_name_of_a_plate(plate):
    assert read(f"{plate}_B02_s1.TIF") == (plate, "B02", 1, None)
    assert read(f"{plate}_B02_s1{GUID}.tif") == (plate, "B02", 1, None)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_plate_name_in_either_form_of_unicode_is_as_it_is_written(form):
    plate = unicodedata.normalize(form, "résumé")
    assert read(f"{plate}_B02.TIF") == (plate, "B02", None, None)


def test_a_plate_has_a_name():
    assert read("_B02.TIF") is None
    assert read("B02.TIF") is None


def test_a_path_of_more_than_260_characters():
    plate = "p" * 200
    path = f"{'f' * 100}/TimePoint_1/{plate}_B02_s1_w2.TIF"
    assert read(path) == (plate, "B02", 1, 2)


@pytest.mark.parametrize("extension", ["TIF", "tif", "Tif", "tiff", "TIFF"])
def test_an_extension_in_any_case_and_both_spellings(extension):
    assert read(f"P_B02.{extension}") == ("P", "B02", None, None)
    assert read(f"P_B02{GUID}.{extension}") == ("P", "B02", None, None)


@pytest.mark.parametrize(
    "name", ["P_B02.png", "P_B02.TIF.bak", "P_B02.TIFFF", "P_B02tif", "P_B02.TIF ", "overview.tif"]
)
def test_another_extension_or_name(name):
    assert read(name) is None


def test_a_wavelength_and_a_site_of_several_digits():
    assert read("P_B02_s100_w10.TIF") == ("P", "B02", 100, 10)
    assert read(f"P_B02_s100_w10{GUID}.tif") == ("P", "B02", 100, 10)


def test_numbers_with_zeros_before_them():
    assert read("P_B02_s01_w002.TIF") == ("P", "B02", 1, 2)


def test_sites_and_wavelengths_count_from_one():
    assert read("P_B02_s0.TIF") is None
    assert read("P_B02_w0.TIF") is None


def test_digits_of_another_script_are_no_numbers():
    assert read("P_B02_s\u0661.TIF") is None


def test_a_z_step_of_two_digits():
    assert PARSER.parse_filename("ZStep_10/P_B02.TIF").z_index == 10
    assert PARSER.parse_filename("ZStep_1/P_B02.TIF").z_index == 1


def test_z_step_zero_is_the_projection():
    name = PARSER.parse_filename("TimePoint_1/ZStep_0/P_B02.TIF")
    assert (name.z_index, name.kind) == (0, PlaneKind.PROJECTION)


@pytest.mark.parametrize("timepoint", [1, 3, 4, 120])
def test_timepoints_are_their_folder_s_number_with_gaps_and_late_beginnings(timepoint):
    assert PARSER.parse_filename(f"TimePoint_{timepoint}/P_B02.TIF").timepoint == timepoint


@pytest.mark.parametrize("folders", ["TimePoint_3/ZStep_2", "ZStep_2/TimePoint_3"])
def test_timepoint_and_z_step_in_either_order(folders):
    name = PARSER.parse_filename(f"2023-02-21/1334/{folders}/P_B02{GUID}.tif")
    assert (name.timepoint, name.z_index) == (3, 2)


def test_a_name_of_many_underscores_is_read_quickly():
    assert read("_B02" * 5_000 + ".png") is None
