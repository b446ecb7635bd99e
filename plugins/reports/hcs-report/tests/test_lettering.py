"""Any text is drawn and fits; where Pillow's own font lacks a character, another font of the machine is asked."""

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from hcs_report import lettering
from hcs_report.lettering import draw_text, fitted, font_of, printable, text_width


def drawn(text, size=20):
    page = Image.new("L", (200, 40), 255)
    draw_text(ImageDraw.Draw(page), (5, 5), text, size=size, colour="#000000", width=190)
    return page


def test_a_text_that_fits_is_left_as_it_is():
    assert fitted("DAPI", font_of("DAPI", 13), 100) == "DAPI"


@pytest.mark.parametrize("width", [20, 60, 200])
def test_a_longer_one_is_cut_no_earlier_than_it_must_and_ends_with_dots(width):
    whole = "a_plate_with_a_name_that_goes_on_and_on"
    text = fitted(whole, font_of(whole, 13), width)
    kept = text.removesuffix("...")
    assert text == kept + "..."
    assert whole.startswith(kept)
    assert text_width(text, 13) <= width < text_width(whole[: len(kept) + 1] + "...", 13)


def test_where_not_even_the_dots_fit_they_stand_there_alone():
    assert fitted("a plate", font_of("a plate", 13), 2) == "..."


def test_what_is_no_character_is_replaced():
    assert printable("a\nb\x00\udcffc\u202e µ") == "a\ufffdb\ufffd\ufffdc\ufffd µ"


def test_latin_is_set_in_pillow_s_own_font_whatever_the_machine_has(monkeypatch):
    monkeypatch.setattr(lettering, "FONT_FILES", ())
    own = font_of.__wrapped__("Plate 7", 13)
    assert own.getname() == ImageFont.load_default(13).getname()
    assert font_of("Plate 7", 13).getname() == own.getname()


def test_a_greek_name_is_set_in_a_font_that_has_greek():
    if not any(lettering._is_there(file) for file in ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf")):
        pytest.skip("this machine has no font with Greek letters among those that are looked for")
    # A letter that is there looks different from another; two that are not look alike.
    assert ImageChops.difference(drawn("β"), drawn("δ")).getbbox() is not None


def test_where_no_font_has_a_character_it_is_still_drawn(monkeypatch):
    monkeypatch.setattr(lettering, "FONT_FILES", ("no such font.ttf",))
    font = font_of.__wrapped__("東京", 13)
    assert font.getname() == ImageFont.load_default(13).getname()
    assert font.getlength("東京") > 0
