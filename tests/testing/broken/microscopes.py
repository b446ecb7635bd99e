"""Microscopes that each break one rule of `MicroscopeContract`."""

import os

import attrs
import numpy as np
import pytest

from hcs_core import Channel, MicroscopeSpec, PlaneKind, PlaneState, PlaneTable, Plate, PlateError
from hcs_core.testing import FakeMicroscope, MicroscopeContract, write_fake_plate
from hcs_core.testing.fakes.microscope import FakeParser

MARK = "mine.txt"


class Parser(FakeParser):
    """Knows names in any folder; those of `./` are what some microscopes here make of their uris."""

    def parse_filename(self, path):
        return super().parse_filename(path.rpartition("/")[2])


class Microscope(FakeMicroscope):
    """A fake microscope with another mark, whose inventory the ones below change."""

    parser = Parser()

    def recognise(self, root):
        return f"it holds {MARK}" if (root / MARK).is_file() else None

    def build_inventory(self, root):
        plate = super().build_inventory(root)
        return attrs.evolve(plate, **{"microscope": "made_up"} | self.changes(plate))

    def changes(self, plate):
        return {}


@pytest.fixture(scope="session")
def written_once(tmp_path_factory):
    root = write_fake_plate(tmp_path_factory.mktemp("plate"), sites=(1,), z_indexes=(0, 1))
    (root / MARK).touch()
    return root


class PlateFolder:
    """A plate of eight images."""

    @pytest.fixture
    def plate_folder(self, written_once):
        return written_once


def under_contract(breaks, markers=(MARK,)):
    """Put a microscope under the contract, in a class that says which rule it breaks."""

    def declare(handler):
        spec = MicroscopeSpec(name="made_up", target=f"{__name__}:{handler.__name__}", markers=markers)
        name = f"Test_{handler.__name__}"
        globals()[name] = type(name, (PlateFolder, MicroscopeContract), {"microscope": spec, "breaks": breaks})
        return handler

    return declare


def columns(plate, **changes):
    return {"planes": attrs.evolve(plate.planes, **changes)}


@under_contract(None)
class Whole(Microscope):
    pass


# --- Folders ----------------------------------------------------------------------------------------------------


@under_contract("test_it_recognises_its_plate_and_says_why")
class SaysNothing(Microscope):
    def recognise(self, root):
        return None if super().recognise(root) is None else ""


@under_contract("test_its_markers_match_its_plate", markers=("*.other",))
class LooksForOtherMarks(Microscope):
    pass


@under_contract("test_it_does_not_recognise_other_folders")
class TakesAnything(Microscope):
    def recognise(self, root):
        return "it is a folder"


@under_contract("test_a_plate_without_images_is_an_error")
class ListsNothing(Microscope):
    def build_inventory(self, root):
        try:
            return super().build_inventory(root)
        except PlateError:
            empty = dict.fromkeys(("wells", "well", "site", "channel", "z_index", "timepoint", "uri"), ())
            planes = PlaneTable.build(**empty, reader="fake")
            return Plate(
                name=root.name, root=root, microscope="made_up", plate_format=(8, 12), channels=(), planes=planes
            )


@under_contract("test_nothing_is_written_into_the_plate")
class WritesACache(Microscope):
    def build_inventory(self, root):
        (root / "cache.txt").write_text("A01")
        return super().build_inventory(root)


@under_contract("test_no_image_is_opened")
class OpensAnImage(Microscope):
    def changes(self, plate):
        path = plate.root / plate.planes.uri[0]
        with path.open("rb"):
            return {}


@under_contract("test_what_is_in_the_images_does_not_matter")
class LooksAtTimes(Microscope):
    def changes(self, plate):
        return {"differences": (f"it was changed at {os.stat(plate.root / plate.planes.uri[0]).st_mtime_ns}",)}  # noqa: PTH116


@under_contract("test_the_order_of_a_listing_does_not_matter")
class SaysWhatCameFirst(Microscope):
    def changes(self, plate):
        return {"differences": (f"{os.listdir(plate.root)[0]} came first",)}  # noqa: PTH208


@under_contract("test_the_order_of_a_listing_does_not_matter")
class ScansInAnyOrder(Microscope):
    def changes(self, plate):
        with os.scandir(plate.root) as entries:
            return {"differences": (f"{next(entries).name} came first",)}


@under_contract("test_twice_the_same")
class Counts(Microscope):
    def __init__(self):
        self.count = 0

    def changes(self, plate):
        self.count += 1
        return {"differences": (f"listed {self.count} times",)}


@under_contract("test_a_header_s_text_may_be_anything")
class WantsAHeader(Microscope):
    def parse_header(self, text):
        if not text.startswith("A01"):
            raise ValueError("no header")
        return super().parse_header(text)


@under_contract("test_a_header_s_text_may_be_anything")
class SaysNoneOfGarbage(Microscope):
    def parse_header(self, text):
        return super().parse_header(text) if text.startswith("A01") else None


# --- Inventory --------------------------------------------------------------------------------------------------


@under_contract("test_it_says_whose_plate_it_is")
class IsCalledOtherwise(Microscope):
    def changes(self, plate):
        return {"microscope": "another"}


@under_contract("test_the_plate_has_planes")
class FindsNothing(Microscope):
    def changes(self, plate):
        return columns(plate, state=np.full(len(plate.planes), PlaneState.MISSING, np.uint8))


@under_contract("test_columns_are_of_one_length")
class CountsInFractions(Microscope):
    def changes(self, plate):
        return columns(plate, selector=plate.planes.selector.astype(np.float64))


@under_contract("test_planes_are_in_the_one_order")
class ListsBackwards(Microscope):
    def changes(self, plate):
        order = np.arange(len(plate.planes))[::-1]
        names = ("well", "site", "channel", "z_index", "timepoint", "kind", "state", "reader", "selector")
        changed = {name: getattr(plate.planes, name)[order] for name in names}
        return columns(plate, uri=plate.planes.uri[::-1], **changed)


@under_contract("test_wells_are_names_that_lie_on_the_plate")
class HasASmallPlate(Microscope):
    def changes(self, plate):
        return {"plate_format": (1, 2)}


@under_contract("test_channels_are_numbered_and_have_planes")
class HasAChannelTooMany(Microscope):
    def changes(self, plate):
        return {"channels": (*plate.channels, Channel(number=9, name="Cy5"))}


@under_contract("test_channel_names_are_unique")
class CallsAllChannelsOne(Microscope):
    def changes(self, plate):
        return {"channels": tuple(attrs.evolve(channel, name="DAPI") for channel in plate.channels)}


class CountingFrom0(Parser):
    def parse_filename(self, path):
        parsed = super().parse_filename(path)
        return parsed and attrs.evolve(parsed, timepoint=parsed.timepoint - 1)

    def construct_filename(self, name):
        later = None if name.timepoint is None else name.timepoint + 1
        raised = attrs.evolve(name, timepoint=later)
        path = f"{name.well}_s{name.site}_c{name.channel}_z{name.z_index}_t{later}.fake"
        if Parser().parse_filename(path) != raised:
            raise PlateError("a component is missing.")
        return path


@under_contract("test_numbers_count_from_1")
class CountsFrom0(Microscope):
    parser = CountingFrom0()

    def changes(self, plate):
        return columns(plate, timepoint=plate.planes.timepoint * 0)


class OnlyTheWell(Parser):
    """Says of a name its well alone."""

    def parse_filename(self, path):
        parsed = super().parse_filename(path)
        return parsed and attrs.evolve(
            parsed, site=None, channel=None, z_index=None, timepoint=None, kind=PlaneKind.ACQUIRED
        )

    def construct_filename(self, name):
        raise PlateError("a name does not tell its plane.")


class WellsAlone(Microscope):
    """Its inventory is made with the whole grammar, its parser says less."""

    def build_inventory(self, root):
        own, self.parser = self.parser, Parser()
        try:
            return super().build_inventory(root)
        finally:
            self.parser = own


@under_contract("test_numbers_count_from_1")
class NumbersProjections(WellsAlone):
    parser = OnlyTheWell()

    def changes(self, plate):
        return columns(plate, z_index=plate.planes.z_index + 1)


@under_contract("test_uris_are_relative_to_the_plate")
class SaysWhereItLies(Microscope):
    def changes(self, plate):
        return columns(plate, uri=tuple(str(plate.root / uri) for uri in plate.planes.uri))


@under_contract("test_what_is_present_is_there")
class ListsWhatIsGone(Microscope):
    def changes(self, plate):
        return columns(plate, uri=(*plate.planes.uri[:-1], f"gone/{plate.planes.uri[-1]}"))


@under_contract("test_each_plane_is_present_once")
class ListsAFileTwice(Microscope):
    def changes(self, plate):
        twice = plate.planes.select(np.ones(len(plate.planes), np.bool_))
        names = ("well", "site", "channel", "z_index", "timepoint", "kind", "state", "reader", "selector")
        changed = {name: np.insert(getattr(twice, name), 0, getattr(twice, name)[0]) for name in names}
        return columns(plate, uri=(f"./{twice.uri[0]}", *twice.uri), **changed)


@under_contract("test_each_location_is_one_plane_s")
class ShowsAPictureTwice(WellsAlone):
    parser = OnlyTheWell()

    def changes(self, plate):
        uri = plate.planes.uri
        return columns(plate, uri=(uri[1], *uri[1:])) if len(uri) > 1 else {}


@under_contract("test_differences_are_sentences")
class SaysItInTwoLines(Microscope):
    def changes(self, plate):
        return {"differences": ("the index lists more\nthan there is",)}


# --- Names ------------------------------------------------------------------------------------------------------


@under_contract("test_names_say_what_the_inventory_says")
class KnowsBetter(Microscope):
    def changes(self, plate):
        return columns(plate, site=plate.planes.site + 1)


class BareNamesAreOthers(Parser):
    def parse_filename(self, path):
        parsed = super().parse_filename(path)
        return parsed if parsed is None or "/" in path else attrs.evolve(parsed, site=parsed.site + 1)

    def construct_filename(self, name):
        return f"./{Parser().construct_filename(name)}"


@under_contract("test_a_bare_file_name_says_the_same_as_far_as_it_says_it")
class NeedsTheFolder(WellsAlone):
    parser = BareNamesAreOthers()

    def changes(self, plate):
        return columns(plate, uri=tuple(f"./{uri}" for uri in plate.planes.uri))


class WritesNone(Parser):
    def construct_filename(self, name):
        return f"{name.well}_s{name.site}_c{name.channel}_z{name.z_index}_t{name.timepoint}.fake"


@under_contract("test_what_is_constructed_is_parsed_again")
class ConstructsAnything(Microscope):
    parser = WritesNone()


class OtherSuffix(Parser):
    def parse_filename(self, path):
        return super().parse_filename(path.replace(".made", ".fake"))

    def construct_filename(self, name):
        return FakeParser().construct_filename(name).replace(".fake", ".made")


@under_contract("test_its_own_names_are_constructed")
class ConstructsOtherNames(Microscope):
    parser = OtherSuffix()


class Lenient(Parser):
    def parse_filename(self, path):
        return super().parse_filename(path.removesuffix(".bak"))


@under_contract("test_what_is_no_image_has_no_name")
class ReadsBackups(Microscope):
    parser = Lenient()


class Nervous(Parser):
    def parse_filename(self, path):
        if "\0" in path and path.endswith(".tif"):
            raise ValueError("embedded null byte")
        return super().parse_filename(path)


@under_contract("test_a_name_may_be_anything")
class IsNervous(Microscope):
    parser = Nervous()
