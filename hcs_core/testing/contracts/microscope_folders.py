"""Rules for microscopes: which folders they recognise, and how they treat them."""

from __future__ import annotations

import os
from pathlib import Path

import attrs
import pytest

from hcs_core.errors import PlateError, one_line
from hcs_core.plate.inventory import Plate
from hcs_core.plate.microscope import MicroscopeHandler, PlaneFacts
from hcs_core.testing.contracts.folders import fingerprint, listed_in_order, noting_opened_files
from hcs_core.testing.contracts.microscope_rules import MicroscopeRules, present
from hcs_core.testing.contracts.texts import HEADERS
from hcs_core.testing.fakes.microscope import write_fake_plate


class FolderRules(MicroscopeRules):
    """What a handler does with folders."""

    def test_it_recognises_its_plate_and_says_why(self, handler: MicroscopeHandler, plate_folder: Path) -> None:
        """In a few words, which `hcs inspect` shows."""
        reason = handler.recognise(plate_folder)
        assert isinstance(reason, str) and reason.strip() and "\n" not in reason, (  # noqa: PT018 - one rule
            f"recognise says why a folder is a plate, in a few words on one line: of {plate_folder.name} it "
            f"says {reason!r}."
        )

    def test_its_markers_match_its_plate(self, plate_folder: Path) -> None:
        """A handler is asked only where one of them matches."""
        found = [marker for marker in self.microscope.markers if next(plate_folder.glob(marker), None) is not None]
        assert found, (
            f"one of a microscope's markers matches in its plates: none of {', '.join(self.microscope.markers)} does "
            f"in {plate_folder.name}; add one, relative to the plate's folder."
        )

    def test_it_does_not_recognise_other_folders(self, handler: MicroscopeHandler, tmp_path: Path) -> None:
        """An empty folder, a folder of anything, another microscope's plate: `None`."""
        (tmp_path / "empty").mkdir()
        anything = tmp_path / "anything"
        (anything / "images").mkdir(parents=True)
        for name in ("notes.txt", "table.csv", "images/photo.png", "images/scan.tif", ".DS_Store"):
            (anything / name).write_bytes(b"anything\n")
        others = [tmp_path / "empty", anything, write_fake_plate(tmp_path, name="another_microscope")]
        for folder in others:
            try:
                reason = handler.recognise(folder)
            # Whatever it raises is what this is about.
            except Exception as error:  # noqa: BLE001
                reason = f"an error, {one_line(error)}"
            assert reason is None, (
                f"recognise returns None for what is no plate of this microscope: for the folder {folder.name!r} it "
                f"gave {reason}; look for what only your microscope writes."
            )

    def test_a_plate_without_images_is_an_error(self, handler: MicroscopeHandler, copied: Path) -> None:
        """A folder with the marks of the microscope and no image: whoever copied it forgot them."""
        inventory = handler.build_inventory(copied)
        if not present(inventory):
            pytest.skip("no plane is present: see test_the_plate_has_planes")
        text = ""
        try:
            # Once one file of a plane is gone, another one of it may count.
            while present(inventory):
                for path in {copied / plane.uri for plane in present(inventory)}:
                    if not path.is_file():
                        pytest.skip(f"{path.name} is no file: only images that are files can be taken away here")
                    path.unlink()
                inventory = handler.build_inventory(copied)
        except PlateError as error:
            text = str(error)
        # Another error than PlateError is the fault that this is about: it ends up as the test's failure.
        except Exception as error:  # noqa: BLE001
            pytest.fail(f"a plate without images is a PlateError: it was {one_line(error)}.", pytrace=False)
        assert str(copied) in text, (
            "a plate without images is a PlateError that names the folder: "
            f"{text or 'an inventory was returned'!r}; say where images were looked for."
        )

    def test_nothing_is_written_into_the_plate(self, handler: MicroscopeHandler, copied: Path) -> None:
        """Originals stay as they are, to the last bit and second."""
        before = fingerprint(copied)
        handler.recognise(copied)
        for plane in present(handler.build_inventory(copied)):
            handler.parser.parse_filename(plane.uri)
        changed = sorted(before ^ fingerprint(copied))
        assert not changed, f"a microscope writes nothing into a plate: {'; '.join(changed[:3])} differ."

    def test_no_image_is_opened(self, handler: MicroscopeHandler, plate_folder: Path) -> None:
        """A plate has a million of them: headers are read later, and few."""
        with noting_opened_files() as opened:
            handler.recognise(plate_folder)
            inventory = handler.build_inventory(plate_folder)
        images = {os.path.realpath(plate_folder / plane.uri): plane.uri for plane in present(inventory)}
        found = sorted(uri for path, uri in images.items() if path in opened)
        assert not found, (
            f"listing a plate opens no image: {found[0]} was opened, of {len(found)}; what a header says is asked "
            "later, through parse_header."
        )

    def test_what_is_in_the_images_does_not_matter(self, copied: Path) -> None:
        """An image that is damaged is listed like any other: that shows when it is read."""
        inventory = self.new_handler().build_inventory(copied)
        before = _content(inventory)
        for path in {copied / plane.uri for plane in present(inventory)}:
            if path.is_file():
                path.write_bytes(b"\xaa" * path.stat().st_size)
        assert _content(self.new_handler().build_inventory(copied)) == before, (
            "the inventory is made of names and the vendor's index: with damaged images of the same sizes it is "
            "another one."
        )

    def test_the_order_of_a_listing_does_not_matter(self, plate_folder: Path) -> None:
        """File systems list folders in any order: the inventory is the same one."""
        found = {}
        for order in ("forwards", "backwards", "shuffled"):
            with listed_in_order(order):
                found[order] = _content(self.new_handler().build_inventory(plate_folder))
        differ = [order for order, content in found.items() if content != found["forwards"]]
        assert not differ, (
            f"the order in which a folder is listed does not matter: listed {' and '.join(differ)} the inventory is "
            "another one than listed forwards; sort names before you use them."
        )

    def test_twice_the_same(self, handler: MicroscopeHandler, plate_folder: Path) -> None:
        """A handler keeps nothing between calls."""
        first, second = (_content(handler.build_inventory(plate_folder)) for _ in range(2))
        assert first == second, "a handler keeps nothing between calls: the second inventory is another one."

    def test_a_header_s_text_may_be_anything(self, handler: MicroscopeHandler) -> None:
        """What a header does not say is `None`; garbage says nothing."""
        for text in HEADERS:
            try:
                facts = handler.parse_header(text)
            # Whatever it raises is what this is about.
            except Exception as error:  # noqa: BLE001
                pytest.fail(
                    f"parse_header takes any text and returns what it says: on {text[:40]!r} it raises "
                    f"{one_line(error)}; leave out what cannot be read.",
                    pytrace=False,
                )
            assert isinstance(facts, PlaneFacts), (
                f"parse_header returns PlaneFacts, empty where the text says nothing: on {text[:40]!r} it returns "
                f"{facts!r}."
            )


def _content(plate: Plate) -> dict[str, object]:
    """Return all that an inventory says, comparable."""
    fields = {field.name: getattr(plate, field.name) for field in attrs.fields(Plate)}
    return {
        **fields,
        "planes": plate.planes.digest(),
        "site_grid": dict(plate.site_grid),
        "positions": dict(plate.positions),
    }
