"""`hcs inspect --picture`: what is drawn of plates on disk, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from PIL import Image

from hcs_core import draw_plate, open_plate, plate_picture, read_thumbnails, thumbnail_side
from hcs_report.layout import layout_of


@pytest.fixture(scope="module")
def plate(make_plate):
    """Return a plate of 2 wells, 2 sites, 2 channels and 2 planes, of which one plane is gone and two are broken."""
    folder = make_plate(name="Plate 7")
    folder = folder.rename(folder.with_name("Plate 7 #µ"))
    (folder / "TimePoint_1" / "ZStep_2" / "Plate 7_B03_s2_w2.TIF").unlink()
    (folder / "TimePoint_1" / "ZStep_1" / "Plate 7_B03_s1_w1.TIF").write_bytes(b"")
    (folder / "TimePoint_1" / "ZStep_1" / "Plate 7_B03_s2_w1.TIF").write_bytes(b"II*\0")
    return folder


def test_a_plate_is_drawn_beside_what_is_said(plate, hcs, tmp_path, digest_of):
    before = digest_of(plate)
    ran = hcs("inspect", plate, "--picture", tmp_path / "my plate.png")
    assert ran.code == 0
    assert f"Picture: {tmp_path / 'my plate.png'}" in ran.out
    assert "13 present, 1 not recorded, 2 unreadable" in ran.out
    assert "ZStep_1/Plate 7_B03_s2_w1.TIF" in ran.out
    assert digest_of(plate) == before
    with Image.open(tmp_path / "my plate.png") as page:
        assert page.format == "PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["my plate.png"]


def test_json_names_the_picture_and_counts_what_it_found(plate, hcs, tmp_path):
    ran = hcs("inspect", plate, "--picture", tmp_path / "p.png", "--json")
    assert ran.code == 0
    assert ran.document["picture"] == str(tmp_path / "p.png")
    assert ran.document["planes"]["unreadable"] == 2
    assert "picture" not in hcs("inspect", plate, "--json").document


def test_the_same_plate_gives_the_same_picture(plate, hcs, tmp_path):
    for name in ("one.png", "two.png"):
        assert hcs("inspect", plate, "--picture", tmp_path / name).code == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_file_within_the_plate_is_refused(plate, hcs, digest_of):
    before = digest_of(plate)
    ran = hcs("inspect", plate, "--picture", plate / "TimePoint_1" / "p.png")
    assert (ran.code, ran.out) == (1, "")
    assert "lies within the plate" in ran.err
    assert digest_of(plate) == before


@pytest.mark.parametrize(
    ("plate_name", "file", "words"),
    [
        ("nowhere", "p.png", "does not exist"),
        (None, "nowhere/p.png", "there is no folder"),
        (None, "p.tif", "does not end with .png"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(plate, hcs, tmp_path, plate_name, file, words):
    ran = hcs("inspect", tmp_path / plate_name if plate_name else plate, "--picture", tmp_path / file)
    assert ran.code == 1
    (line,) = [line for line in ran.err.splitlines() if not line.startswith("Reading")]
    assert line.startswith("error: ")
    assert words in line
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_itself_has_an_exit_code_of_its_own(plate, hcs, tmp_path):
    assert hcs("inspect", plate, "--picture").code == 2
    assert hcs("inspect", plate, "--picture", tmp_path).code == 2


def test_without_the_plugin_it_says_what_to_install(plate, hcs, tmp_path, monkeypatch):
    monkeypatch.setenv("HCS_DISABLE", "report")
    ran = hcs("inspect", plate, "--picture", tmp_path / "p.png")
    assert ran.code == 1
    assert "pip install hcs-report" in ran.err
    assert hcs("inspect", plate).code == 0


def test_the_thumbnails_of_a_real_plate_are_averages_of_its_projections(samples, installed, tmp_path):
    root = samples / "9987_Plate_3434"
    plate = open_plate(root, plugins=installed)
    found = read_thumbnails(plate, installed.readers, thumbnail_side(plate))
    picture = plate_picture(plate, found.images)
    assert draw_plate(plate, tmp_path / "p.png", installed).state_counts() == plate.state_counts()
    layout = layout_of(picture)
    with Image.open(tmp_path / "p.png") as page:
        drawn = np.asarray(page)[..., 0].astype(int)
    for well in ("B02", "B03"):
        for channel in picture.channels:
            file = root / "TimePoint_1" / "ZStep_0" / f"9987_{well}_s1_w{channel.number}.TIF"
            mean = tifffile.imread(file).astype(float).reshape(128, 2, 128, 2).mean(axis=(1, 3))
            box = layout.thumbnail(channel.number, well, (128, 128))
            low, high = channel.limits
            expected = 255 * np.clip((mean - low) / (high - low), 0, 1)
            # The mean is rounded to a whole grey value before it is shown, and what is shown to a whole brightness.
            most = 0.5 + 255 * 0.5 / (high - low) + 1e-9
            assert np.abs(drawn[box.top : box.bottom, box.left : box.right] - expected).max() <= most
