"""Rules for microscopes: the grammar of file names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import PurePosixPath

import attrs
import pytest

from hcs_core.errors import PlateError, one_line
from hcs_core.plate.inventory import Plate
from hcs_core.plate.microscope import MicroscopeHandler, ParsedName
from hcs_core.plate.plane_table import Plane, PlaneKind
from hcs_core.testing.contracts.microscope_rules import MicroscopeRules, first_present, present
from hcs_core.testing.contracts.texts import NAMES, NO_IMAGES

_COMPONENTS = ("well", "site", "channel", "z_index", "timepoint", "kind")


class NameRules(MicroscopeRules):
    """What the parser of file names does."""

    def test_names_say_what_the_inventory_says(self, handler: MicroscopeHandler, inventory: Plate) -> None:
        """Every present plane's uri is an image's, of that plane, as far as the name says it."""
        for plane in present(inventory):
            parsed = handler.parser.parse_filename(plane.uri)
            assert parsed is not None, f"parse_filename knows the plate's own images: of {plane.uri!r} it says None."
            wrong = _contradictions(parsed, plane)
            assert not wrong, (
                f"parse_filename and the inventory agree: of {plane.uri!r} the parser says "
                f"{', '.join(f'{name} {getattr(parsed, name)}' for name in wrong)}, the inventory "
                f"{', '.join(str(getattr(plane, name)) for name in wrong)}."
            )

    def test_a_bare_file_name_says_the_same_as_far_as_it_says_it(
        self, handler: MicroscopeHandler, inventory: Plate
    ) -> None:
        """Without its folders a name says less, and nothing else."""
        for plane in present(inventory):
            bare = PurePosixPath(plane.uri).name
            if bare == plane.uri:
                continue
            parsed = handler.parser.parse_filename(bare)
            wrong = _contradictions(parsed, plane) if parsed is not None else []
            assert not wrong, (
                f"a bare file name is a path too: of {bare!r} the parser says "
                f"{', '.join(f'{name} {getattr(parsed, name)}' for name in wrong)}, which contradicts the inventory; "
                "leave a component None where the name does not say it."
            )

    def test_what_is_constructed_is_parsed_again(self, handler: MicroscopeHandler, inventory: Plate) -> None:
        """`parse(construct(name)) == name`, or a PlateError where the layout does not determine the path."""
        for name in _variations(handler, inventory):
            try:
                path = handler.parser.construct_filename(name)
            except PlateError:
                continue
            # Another error than PlateError is the fault that this is about: it ends up as the test's failure.
            except Exception as error:  # noqa: BLE001
                pytest.fail(
                    f"construct_filename returns a path or raises a PlateError: for {name} it raises "
                    f"{one_line(error)}.",
                    pytrace=False,
                )
            again = handler.parser.parse_filename(path)
            assert again == name, (
                f"construct_filename is the inverse of parse_filename: {name} becomes {path!r}, which is {again}; "
                "raise a PlateError for what a path cannot say."
            )

    def test_its_own_names_are_constructed(self, handler: MicroscopeHandler, inventory: Plate) -> None:
        """Where the layout determines a path, it is the path that there is."""
        for plane in present(inventory):
            parsed = handler.parser.parse_filename(plane.uri)
            if parsed is None:
                pytest.skip(f"{plane.uri!r} is not parsed: see test_names_say_what_the_inventory_says")
            try:
                path = handler.parser.construct_filename(parsed)
            except PlateError as error:
                pytest.skip(f"this layout does not determine paths ({error})")
            again = handler.parser.parse_filename(path)
            same = again == parsed and PurePosixPath(path).suffix.lower() == PurePosixPath(plane.uri).suffix.lower()
            assert same, f"construct_filename makes a plate's own names again: {plane.uri!r} becomes {path!r}."

    def test_what_is_no_image_has_no_name(self, handler: MicroscopeHandler, inventory: Plate) -> None:
        """Hidden files, backups, tables and thumbnails of the system lie beside images."""
        own = PurePosixPath(first_present(inventory).uri).name
        for name in (*NO_IMAGES, f"._{own}", f"{own}.bak", f"{own}.json", f".{own}"):
            parsed = handler.parser.parse_filename(name)
            assert parsed is None, (
                f"parse_filename returns None for what is no image: of {name!r} it says {parsed}; match the whole "
                "name."
            )

    def test_a_name_may_be_anything(self, handler: MicroscopeHandler) -> None:
        """File systems hold names of any characters and lengths."""
        for name in NAMES:
            try:
                parsed = handler.parser.parse_filename(name)
            # Whatever it raises is what this is about.
            except Exception as error:  # noqa: BLE001
                pytest.fail(
                    f"parse_filename takes any text: on {name[:40]!r} it raises {one_line(error)}; return None for "
                    "what is no image.",
                    pytrace=False,
                )
            assert parsed is None or isinstance(parsed, ParsedName), (
                f"parse_filename returns a ParsedName or None: on {name[:40]!r} it returns {parsed!r}."
            )


def _contradictions(parsed: ParsedName, plane: Plane) -> list[str]:
    """Return the components that a name says otherwise than the inventory; what it leaves out says nothing."""
    said = {name: getattr(parsed, name) for name in _COMPONENTS}
    if parsed.z_index is None:
        # A name without a z_index does not tell a projection from an acquired plane either.
        del said["kind"]
    return [name for name, value in said.items() if value is not None and value != getattr(plane, name)]


def _variations(handler: MicroscopeHandler, inventory: Plate) -> Iterator[ParsedName]:
    """Yield the name of the first image with other wells and numbers, and without some."""
    first = handler.parser.parse_filename(first_present(inventory).uri)
    if first is None:
        pytest.skip("the plate's own names are not parsed: see test_names_say_what_the_inventory_says")
    for well, site, channel, z_index, timepoint in itertools.product(
        ("A01", "AF48"), (None, 1, 999), (None, 12), (None, 0, 2), (None, 1, 30)
    ):
        kind = PlaneKind.PROJECTION if z_index == 0 else PlaneKind.ACQUIRED
        yield attrs.evolve(
            first, well=well, site=site, channel=channel, z_index=z_index, timepoint=timepoint, kind=kind
        )
