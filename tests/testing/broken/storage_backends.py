"""Storage backends that each break one rule of `StorageBackendContract`."""

import shutil
import threading
import time
from collections import defaultdict
from pathlib import Path

import attrs
import numpy as np
import pytest

from hcs_core import MOSAIC, StorageBackendSpec, StorageError, WellSummary, canonical_well, parse_well
from hcs_core.testing import FakeBackend, StorageBackendContract

DISK = defaultdict(lambda: {"wells": {}, "finished": []})
"""What each store holds, by its folder: as a disk would, for as long as this process lives, in no time."""


class Well:
    """A well that keeps its promises; those below break one."""

    def __init__(self, name, sites, layout, mosaic=None):
        self.name, self.sites, self.layout, self.mosaic = name, sites, layout, mosaic
        self.written = 0

    def write(self, address, plane):
        image = self.layout.layout_of(address.site, self.mosaic)
        if image is None:
            raise StorageError(f"{address} of {self.name} cannot be written")
        shape = image.shape
        place = (address.t, address.c, address.z)
        outside = any(not 0 <= index < size for index, size in zip(place, shape, strict=False))
        if address.site not in self.sites or outside or plane.shape != shape[3:]:
            raise StorageError(f"{address} of {self.name} cannot be written")
        if plane.dtype != image.dtype:
            raise StorageError(f"{address} of {self.name} cannot be written")
        self.sites[address.site][place] = plane.copy()
        self.written += plane.nbytes

    def has(self, address):
        return (address.t, address.c, address.z) in self.sites.get(address.site, {})

    def read(self, address):
        if not self.has(address):
            raise StorageError(f"{address} of {self.name} was not written")
        return self.sites[address.site][address.t, address.c, address.z].copy()

    def drop(self, address):
        self.sites[address.site].pop((address.t, address.c, address.z), None)

    def close(self):
        return WellSummary(bytes_written=self.written)


@attrs.define(kw_only=True)
class Store:
    """A store that keeps its promises, and knows whether it declared wells itself, as that of a later run did not."""

    root: Path
    layout: object
    well: type = Well
    later: bool = True

    @property
    def wells(self):
        return DISK[self.root]["wells"]

    @property
    def listed(self):
        return DISK[self.root]["finished"]

    def declare(self, wells, mosaics=None):
        self.later = False
        for well in set(self.wells) - set(self.listed):
            del self.wells[well]
        for well, sites in wells.items():
            images = [*sites, *([MOSAIC] if well in (mosaics or {}) else [])]
            self.wells.setdefault(self.key(well), {site: {} for site in images})

    def key(self, well):
        return canonical_well(well)

    def declared(self, well):
        if self.key(well) not in self.wells:
            raise StorageError(f"{well} is not in {self.root}")
        return self.key(well)

    def open_well(self, well, mosaic=None):
        name = self.declared(well)
        return self.well(name, self.wells[name], self.layout, mosaic)

    def finish_well(self, finished):
        name = self.declared(finished.well)
        images = {*finished.sites, *([] if finished.mosaic is None else [MOSAIC])}
        if not images <= set(self.wells[name]):
            raise StorageError(f"{finished.sites} of {name} are not in {self.root}")
        if name not in self.listed:
            self.listed.append(name)

    def discard_well(self, well):
        if self.key(well) in self.listed:
            self.listed.remove(self.key(well))
        self.wells.pop(self.key(well), None)

    def finished_wells(self):
        return tuple(sorted(self.listed, key=parse_well))


@pytest.fixture(scope="session")
def one_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("output")


class OneFolder:
    """The same folder for every test, emptied: thousands of new ones would take longer than all the rest."""

    @pytest.fixture
    def folder(self, one_folder):
        DISK.clear()
        yield one_folder
        for path in one_folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def under_contract(breaks, *, durable=True):
    """Put a backend, or that of a store or a well, under the contract, in a class that says which rule it breaks."""

    def declare(part):
        backend = part if hasattr(part, "open") else _backend_of(part)
        globals()[f"{part.__name__}Backend"] = backend
        spec = StorageBackendSpec(name="made_up", target=f"{__name__}:{part.__name__}Backend", durable=durable)
        name = f"Test_{part.__name__}"
        globals()[name] = type(name, (OneFolder, StorageBackendContract), {"backend": spec, "breaks": breaks})
        return part

    return declare


def _backend_of(part):
    class Backend:
        def open(self, folder, layout):
            if issubclass(part, Store):
                return part(root=folder / layout.name, layout=layout)
            return Store(root=folder / layout.name, layout=layout, well=part)

    return Backend


@under_contract(None)
class Whole(Store):
    pass


@under_contract(None)
class WholeOnDisk(FakeBackend):
    pass


@under_contract(None, durable=False)
class GoneWithTheProcess(Store):
    def __reduce__(self):
        raise TypeError("nothing of it travels")

    def finished_wells(self):
        return () if self.later else super().finished_wells()


# --- Planes -----------------------------------------------------------------------------------------------------


@under_contract("test_a_plane_comes_back_as_it_was")
class WidensFloats(Well):
    def read(self, address):
        plane = super().read(address)
        return plane.astype("float64") if plane.dtype == "float32" else plane


LATEST = threading.local()


@under_contract("test_wells_are_written_in_turns")
class WritesIntoTheLatest(Well):
    def __init__(self, name, sites, layout, mosaic=None):
        super().__init__(name, sites, layout, mosaic)
        LATEST.sites = sites

    def write(self, address, plane):
        own, self.sites = self.sites, LATEST.sites
        super().write(address, plane)
        self.sites = own


SHARED = {}


@under_contract("test_threads_write_wells_at_once")
class SharesABuffer(Well):
    """Waits until another thread has come in between, once: however slow the machine, two of them meet."""

    def write(self, address, plane):
        SHARED["plane"] = plane
        patience = time.monotonic() + 5
        while threading.current_thread() is not threading.main_thread() and "met" not in SHARED:
            if SHARED["plane"] is not plane:
                SHARED["met"] = True
            if time.monotonic() > patience:
                break
            time.sleep(0.0005)
        super().write(address, SHARED["plane"])


@under_contract("test_a_plane_that_is_written_stays_as_it_was")
class ClearsWhatItGets(Well):
    def write(self, address, plane):
        super().write(address, plane)
        if plane.flags.writeable:
            plane[...] = 0


@under_contract("test_a_plane_that_is_written_stays_as_it_was")
class WantsToWrite(Well):
    def write(self, address, plane):
        if not plane.flags.writeable:
            raise ValueError("buffer source array is read-only")
        super().write(address, plane)


@under_contract("test_another_shape_is_refused")
class TakesAnyShape(Well):
    def write(self, address, plane):
        image = self.layout.image
        fits = image is None or address.site == MOSAIC or plane.shape == image.shape[3:]
        super().write(address, plane if fits else np.resize(plane, image.shape[3:]))


@under_contract("test_another_dtype_is_refused")
class TakesAnyDtype(Well):
    def write(self, address, plane):
        image = self.layout.image or self.layout.mosaic
        super().write(address, plane.astype(image.dtype))


@under_contract("test_an_address_outside_the_layout_is_refused")
class CountsFromTheEnd(Well):
    def write(self, address, plane):
        image = self.layout.image or self.layout.mosaic
        super().write(attrs.evolve(address, z=address.z % image.shape[2]), plane)


@under_contract("test_a_site_that_was_not_declared_is_refused")
class MakesSites(Well):
    def write(self, address, plane):
        if address.site != MOSAIC:
            self.sites.setdefault(address.site, {})
        super().write(address, plane)


class MakesUpPlanes(Well):
    def read(self, address):
        if address.z and not self.has(address):
            return np.zeros(self.layout.image.shape[3:], self.layout.image.dtype)
        return super().read(address)


@under_contract("test_what_was_not_written_cannot_be_read")
class FillsWhatIsNotFinished(Store):
    def open_well(self, well, mosaic=None):
        name = self.declared(well)
        kind = Well if name in self.listed else MakesUpPlanes
        return kind(name, self.wells[name], self.layout, mosaic)


@under_contract("test_absent_planes_stay_absent")
class FillsWhatIsFinished(Store):
    def open_well(self, well, mosaic=None):
        name = self.declared(well)
        kind = MakesUpPlanes if name in self.listed else Well
        return kind(name, self.wells[name], self.layout, mosaic)


@under_contract("test_an_error_names_the_well")
class DoesNotSayWhere(Well):
    def write(self, address, plane):
        try:
            super().write(address, plane)
        except StorageError as error:
            raise StorageError("the plane cannot be written") from error


@under_contract("test_the_summary_says_what_was_written")
class CountsOnePlaneAlways(Well):
    def close(self):
        return WellSummary(bytes_written=1200)


@under_contract("test_the_summary_says_what_was_written")
class ReturnsNoSummary(Well):
    def close(self):
        return None


@under_contract("test_a_dropped_plane_is_gone")
class KeepsWhatIsDropped(Well):
    def drop(self, address):
        pass


# --- Wells ------------------------------------------------------------------------------------------------------


@under_contract("test_opening_makes_nothing")
class MakesItsFolder:
    def open(self, folder, layout):
        (folder / layout.name).mkdir(exist_ok=True)
        return Store(root=folder / layout.name, layout=layout)


@under_contract("test_a_store_keeps_to_its_own_folder")
class WritesALog(Store):
    def declare(self, wells, mosaics=None):
        super().declare(wells, mosaics)
        (self.root.parent / "log.txt").write_text("declared")


@under_contract("test_stores_of_one_folder_are_apart")
class ListsItsNeighbours(Store):
    def finished_wells(self):
        stores = [DISK[root]["finished"] for root in list(DISK) if root.parent == self.root.parent]
        return tuple(sorted({well for listed in stores for well in listed}, key=parse_well))


@under_contract("test_what_is_declared_is_not_listed")
class ListsWhatIsDeclared(Store):
    def finished_wells(self):
        written = any(planes for sites in self.wells.values() for planes in sites.values())
        return super().finished_wells() or tuple(well for well in self.wells if well == "A01" and not written)


CLOSED = []


class MarksWhatIsClosed(Well):
    def close(self):
        CLOSED.append(self.sites)
        return super().close()


@under_contract("test_what_is_written_is_not_listed")
class ListsWhatIsClosed(Store):
    def open_well(self, well, mosaic=None):
        name = self.declared(well)
        return MarksWhatIsClosed(name, self.wells[name], self.layout, mosaic)

    def finished_wells(self):
        unlisted = [well for well in self.wells if well not in self.listed]
        closed = [well for well in unlisted if any(sites is self.wells[well] for sites in CLOSED)]
        return (*super().finished_wells(), *closed)


@under_contract("test_a_finished_well_is_listed_and_no_other")
class ListsOthersToo(Store):
    def finish_well(self, finished):
        super().finish_well(finished)
        if finished.well == "B02":
            self.listed[:] = list(self.wells)


@under_contract("test_a_finished_wells_planes_are_there")
class LosesASite(Store):
    def finish_well(self, finished):
        super().finish_well(finished)
        self.wells[self.key(finished.well)].get(2, {}).clear()


@under_contract("test_wells_are_listed_in_the_order_of_the_plate")
class ListsByTheAlphabet(Store):
    def finished_wells(self):
        return tuple(sorted(self.listed))


@under_contract("test_a_well_goes_by_any_spelling")
class TakesNamesAsTheyAre(Store):
    def key(self, well):
        return well


@under_contract("test_a_well_that_was_not_declared_cannot_be_opened")
class OpensWhatIsNotThere(Store):
    def open_well(self, well, mosaic=None):
        return Well(well, self.wells.get(self.key(well), {}), self.layout, mosaic)


@under_contract("test_a_well_that_was_not_declared_cannot_be_finished")
class ListsWhatIsNotThere(Store):
    def finish_well(self, finished):
        if self.key(finished.well) in self.wells:
            super().finish_well(finished)
        else:
            self.listed.append(finished.well)


@under_contract("test_a_site_that_was_not_declared_cannot_be_finished")
class ListsSitesThatAreNotThere(Store):
    def finish_well(self, finished):
        super().finish_well(attrs.evolve(finished, sites=()))


@under_contract("test_finishing_again_changes_nothing")
class FinishesOnce(Store):
    def finish_well(self, finished):
        if finished.well in self.listed:
            raise StorageError(f"{finished.well} is finished")
        super().finish_well(finished)


@under_contract("test_a_discarded_well_is_gone")
class OnlyUnlists(Store):
    def discard_well(self, well):
        if well in self.listed:
            self.listed.remove(well)


@under_contract("test_discarding_leaves_the_others")
class UnlistsAll(Store):
    def discard_well(self, well):
        super().discard_well(well)
        self.listed.clear()


@under_contract("test_discarding_what_is_not_there_is_fine")
class WantsSomethingToDiscard(Store):
    def discard_well(self, well):
        super().discard_well(self.declared(well))


@under_contract("test_an_unfinished_well_starts_afresh")
class KeepsOldPlanes(Store):
    def declare(self, wells, mosaics=None):
        kept = {well: self.wells[well] for well in wells if well in self.wells}
        super().declare(wells, mosaics)
        self.wells.update(kept)


@under_contract("test_a_finished_well_is_left_alone")
class StartsAllAfresh(Store):
    def declare(self, wells, mosaics=None):
        for well in set(wells) & set(self.listed):
            self.wells[well] = {1: {}, 2: {}}
        super().declare(wells, mosaics)


# --- Mosaics ----------------------------------------------------------------------------------------------------


@under_contract("test_a_mosaic_comes_back_beside_its_sites")
class KeepsTheFirstPlaneAlone(Well):
    def write(self, address, plane):
        twins = [site for site in self.sites if self.has(attrs.evolve(address, site=site))]
        super().write(address, plane)
        if address.site == MOSAIC and twins:
            del self.sites[MOSAIC][address.t, address.c, address.z]

    def read(self, address):
        if address.site == MOSAIC and not self.has(address):
            address = attrs.evolve(address, site=1)
        return super().read(address)


@under_contract("test_a_mosaic_of_another_size_is_refused")
class TakesAnyMosaic(Well):
    def write(self, address, plane):
        is_mosaic = address.site == MOSAIC and self.mosaic is not None
        super().write(address, np.resize(plane, self.mosaic) if is_mosaic else plane)


@under_contract("test_a_mosaic_that_was_not_declared_is_refused")
class DropsMosaics(Well):
    def write(self, address, plane):
        if address.site != MOSAIC or self.mosaic is not None:
            super().write(address, plane)


@under_contract("test_a_mosaic_that_was_not_declared_cannot_be_finished")
class ListsMosaicsThatAreNotThere(Store):
    def finish_well(self, finished):
        super().finish_well(attrs.evolve(finished, mosaic=None))


@under_contract("test_a_store_may_hold_mosaics_alone")
class WantsSites(Store):
    def finish_well(self, finished):
        if not finished.sites and finished.mosaic is not None:
            raise StorageError(f"{finished.well} has no site")
        super().finish_well(finished)


# --- What outlives the process ----------------------------------------------------------------------------------


@under_contract("test_what_was_finished_is_listed_by_the_next_run")
class ListsItsOwnAlone(Store):
    def finished_wells(self):
        return () if self.later else super().finished_wells()


@under_contract("test_what_was_finished_is_read_by_the_next_run")
class OpensItsOwnAlone(Store):
    def open_well(self, well, mosaic=None):
        if self.later and well in self.listed:
            raise StorageError(f"{well} is not in memory")
        return super().open_well(well, mosaic)


@under_contract("test_what_a_killed_run_left_is_not_listed")
class ListsWhatIsWritten(Store):
    def finished_wells(self):
        left = [well for well, sites in self.wells.items() if any(sites.values()) and well not in self.listed]
        return (*super().finished_wells(), *(left if self.later else ()))


@under_contract("test_what_a_killed_run_left_of_other_wells_is_removed")
class LeavesStrays(Store):
    def declare(self, wells, mosaics=None):
        left = {well: sites for well, sites in self.wells.items() if well not in wells}
        super().declare(wells, mosaics)
        self.wells.update(left)


@under_contract("test_declaring_leaves_the_finished_wells_of_an_earlier_run")
class RemovesWhatIsNotDeclared(Store):
    def declare(self, wells, mosaics=None):
        for well in set(self.listed) - set(wells):
            self.discard_well(well)
        super().declare(wells, mosaics)


@under_contract("test_a_store_travels_to_a_worker")
class StaysHere(Store):
    def __reduce__(self):
        raise TypeError("cannot pickle '_io.BufferedReader' object")
