"""The plugin is light, what it declares can be loaded, and its markers match its plates."""

import subprocess
import sys

import pytest

from hcs_core import LayoutWriter, PluginManager
from hcs_core.plate.detection import detect
from hcs_imagexpress import plugin
from hcs_imagexpress.handler import ImageXpressHandler


def test_registers_the_microscope():
    manager = PluginManager()
    record = manager.register(plugin, "imagexpress")
    assert record.provides == {"microscopes": ("imagexpress",)}
    assert manager.check("imagexpress") == ()
    assert manager.microscopes.load("imagexpress") is ImageXpressHandler
    (spec,) = manager.microscopes
    writer = manager.microscopes.load_target("imagexpress", spec.layout_writer)
    assert isinstance(writer(), LayoutWriter)


def test_listing_a_plate_needs_no_tifffile():
    code = "import sys, hcs_imagexpress.handler; print('tifffile' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_its_markers_match_what_it_recognises(make_plate, make_htd):
    (spec,) = plugin.hcs_microscopes()
    plain = make_plate("TimePoint_1/P_B02.TIF", folder="plain")
    lower = make_plate("P_B02.tif", name="P.htd", folder="lower")
    lost = make_plate("TimePoint_1/P_B02.TIF", plan=None, folder="lost")
    (lost / "TimePoint_1" / "P.HTD").write_bytes(make_htd())
    for root in (plain, lower, lost):
        assert any(list(root.glob(marker)) for marker in spec.markers)
        assert ImageXpressHandler().recognise(root)


@pytest.mark.parametrize("inner", ["", "2023-02-21", "2023-02-21/1334"])
@pytest.mark.parametrize("extension", ["tif", "TIF", "tiff"])
@pytest.mark.parametrize("layout", ["", "ZStep_1/", "TimePoint_1/", "TimePoint_1/ZStep_1/", "ZStep_1/TimePoint_1/"])
def test_its_markers_match_copies_of_the_database(make_database, inner, extension, layout):
    root, _ = make_database(f"2023-02-21/1334/{layout}P_B02.{extension}")
    manager = PluginManager()
    manager.register(plugin, "imagexpress")
    assert detect(root / inner, manager).reason == ImageXpressHandler().recognise(root / inner)
