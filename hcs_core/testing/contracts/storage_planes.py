"""Rules for storage backends: what goes in comes out, and what cannot be stored is refused."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np
import pytest

from hcs_core.errors import StorageError, one_line
from hcs_core.storage.backend import Droppable, ImageStore
from hcs_core.storage.layout import PlaneAddress, WellSummary
from hcs_core.testing.contracts.storage_layouts import (
    CHUNKS,
    FIRST,
    SHAPE,
    StorageBackendRules,
    a_plane,
    addresses,
    differing,
    finish,
    put,
    refused,
)

_REFUSE = "compare with the layout before anything is written"


class PlaneRules(StorageBackendRules):
    """What a well's planes do."""

    @pytest.mark.parametrize(
        ("dtype", "chunk"),
        [("uint8", "plane"), ("uint16", "plane"), ("float32", "plane"), ("uint16", "single"), ("uint16", "tiled")],
    )
    def test_a_plane_comes_back_as_it_was(self, folder: Path, dtype: str, chunk: str) -> None:
        """Before the well is closed and after, whatever the chunks."""
        if dtype not in self.dtypes:
            pytest.skip(f"{self.backend.name} does not hold {dtype}: it is not in `dtypes`")
        store = self.opened(folder, dtype=dtype, chunk=CHUNKS[chunk])
        store.declare({"A01": (1, 2)})
        images = store.open_well("A01")
        truth = {address: a_plane(number, dtype) for number, address in enumerate(addresses())}
        for address, plane in truth.items():
            images.write(address, plane.copy())
        wrong = [str(address) for address, plane in truth.items() if not np.array_equal(images.read(address), plane)]
        images.close()
        wrong += differing(store, "A01", truth)
        assert not wrong, f"a plane is read as it was written ({dtype}, chunks {chunk}): {'; '.join(wrong[:3])}."

    def test_wells_are_written_in_turns(self, store: ImageStore) -> None:
        """Two wells are open at once, each in its worker."""
        truth = {"A01": a_plane(1), "B02": a_plane(2)}
        open_wells = {well: store.open_well(well) for well in truth}
        for well, images in open_wells.items():
            images.write(FIRST, truth[well].copy())
        for images in open_wells.values():
            images.close()
        wrong = [line for well, plane in truth.items() for line in differing(store, well, {FIRST: plane})]
        assert not wrong, f"wells keep their planes apart, while several are open: {'; '.join(wrong)}."

    def test_threads_write_wells_at_once(self, folder: Path) -> None:
        """Each well has one writer, several wells are written at once."""
        store = self.opened(folder)
        wells = ("A01", "A02", "B01", "B02")
        store.declare(dict.fromkeys(wells, (1,)))
        truth = {
            well: {address: a_plane(100 * number + index) for index, address in enumerate(addresses((1,)))}
            for number, well in enumerate(wells)
        }
        with ThreadPoolExecutor(len(wells)) as pool:
            list(pool.map(lambda well: put(store, well, truth[well]), wells))
        wrong = [f"{well}: {line}" for well in wells for line in differing(store, well, truth[well])]
        assert not wrong, f"threads write wells of one store at once: {'; '.join(wrong[:3])}."

    def test_a_plane_that_is_written_stays_as_it_was(self, store: ImageStore) -> None:
        """It may be a view, or read-only; it is not the store's to change."""
        view = a_plane(1, shape=(SHAPE[3], 2 * SHAPE[4]))[:, ::2]
        view.flags.writeable = False
        given = {FIRST: a_plane(2), PlaneAddress(site=1, t=0, c=1, z=0): view}
        before = {address: plane.copy() for address, plane in given.items()}
        images = store.open_well("A01")
        for address, plane in given.items():
            try:
                images.write(address, plane)
            # Whatever it raises is what this is about.
            except Exception as error:  # noqa: BLE001
                pytest.fail(f"a plane may be a read-only view: writing one raises {one_line(error)}.", pytrace=False)
        images.close()
        changed = [str(address) for address, plane in given.items() if not np.array_equal(plane, before[address])]
        assert not changed, f"writing leaves the plane as it was: that of {changed[0]} is another; work on a copy."
        wrong = differing(store, "A01", before)
        assert not wrong, f"a plane that is a read-only view is written like any other: {'; '.join(wrong)}."

    def test_another_shape_is_refused(self, store: ImageStore) -> None:
        """Rows and columns of the layout, in that order."""
        for shape in ((SHAPE[4], SHAPE[3]), (SHAPE[3] - 1, SHAPE[4]), (1, *SHAPE[3:])):
            images = store.open_well("A01")
            refused(f"writing a plane of {shape}", _REFUSE, images.write, FIRST, a_plane(shape=shape))

    def test_another_dtype_is_refused(self, store: ImageStore) -> None:
        """Nothing is rescaled or cut off behind anybody's back."""
        for dtype in ("uint8", "float32", "int16"):
            images = store.open_well("A01")
            refused(f"writing {dtype} into uint16", _REFUSE, images.write, FIRST, a_plane(dtype=dtype))

    @pytest.mark.parametrize("place", [(2, 0, 0), (0, 2, 0), (0, 0, 2), (0, 0, -1)])
    def test_an_address_outside_the_layout_is_refused(self, store: ImageStore, place: tuple[int, int, int]) -> None:
        """-1 is no last plane."""
        address = PlaneAddress(site=1, t=place[0], c=place[1], z=place[2])
        refused(f"writing to t, c, z {place}", _REFUSE, store.open_well("A01").write, address, a_plane())

    def test_a_site_that_was_not_declared_is_refused(self, store: ImageStore) -> None:
        """Arrays exist before any worker starts."""
        address = PlaneAddress(site=3, t=0, c=0, z=0)
        refused("writing to a site that was not declared", _REFUSE, store.open_well("A01").write, address, a_plane())

    def test_what_was_not_written_cannot_be_read(self, store: ImageStore) -> None:
        """An absent plane is never made up."""
        images = store.open_well("A01")
        images.write(FIRST, a_plane())
        other = PlaneAddress(site=1, t=0, c=0, z=1)
        refused("reading a plane that was not written", "raise, and make up no zeros", images.read, other)

    def test_an_error_names_the_well(self, store: ImageStore) -> None:
        """Thousands of planes have the same site and channel."""
        images = store.open_well("B02")
        faults: dict[str, Callable[[], object]] = {
            "another shape": lambda: images.write(FIRST, a_plane(shape=(3, 3))),
            "another dtype": lambda: images.write(FIRST, a_plane(dtype="float32")),
            "a site that was not declared": lambda: images.write(attrs.evolve(FIRST, site=3), a_plane()),
            "a plane that was not written": lambda: images.read(FIRST),
        }
        for what, fault in faults.items():
            try:
                fault()
            except StorageError as error:
                text = str(error)
            else:
                continue  # That it is refused is a rule of its own.
            named = "B02" in text or "B/02" in text
            assert named, f"a StorageError says where: for {what} the well B02 is not named in {text!r}."

    def test_the_summary_says_what_was_written(self, store: ImageStore) -> None:
        """What a worker gives back to the driver travels, and counts."""
        nothing = store.open_well("A01").close()
        something = put(store, "B02", {FIRST: a_plane()})
        assert isinstance(something, WellSummary), f"close() returns a WellSummary: it returned {something!r}."
        copy = pickle.loads(pickle.dumps(something))  # noqa: S301 - written in this line
        assert copy == something, f"a summary travels from the worker to the driver: {something} comes back {copy}."
        counts = (nothing.bytes_written, something.bytes_written)
        assert counts[0] == 0 < counts[1], (
            f"bytes_written counts what was written: it is {counts[0]} after nothing, {counts[1]} after one plane."
        )

    def test_a_dropped_plane_is_gone(self, store: ImageStore) -> None:
        """For backends that can forget a plane: twice is once, and others stay."""
        images = store.open_well("A01")
        if not isinstance(images, Droppable):
            pytest.skip(f"{self.backend.name} has no drop(): it does not hold intermediates")
        other = PlaneAddress(site=1, t=0, c=1, z=0)
        for address in (FIRST, other):
            images.write(address, a_plane())
        images.drop(FIRST)
        images.drop(FIRST)
        refused("reading a plane that was dropped", "forget it in drop()", images.read, FIRST)
        assert np.array_equal(images.read(other), a_plane()), "dropping a plane leaves the others as they were."

    def test_absent_planes_stay_absent(self, store: ImageStore) -> None:
        """A finished well does not make up the planes that it was not given."""
        finish(store, "A01", put(store, "A01", {FIRST: a_plane()}))
        absent = [address for address in addresses() if address != FIRST]
        made_up = []
        for address in absent:
            try:
                store.open_well("A01").read(address)
            except StorageError:
                continue
            made_up.append(str(address))
        assert not made_up, (
            f"planes that were not written stay absent once the well is finished: {made_up[0]} can be read, and "
            f"{len(made_up) - 1} more; write no fill values."
        )
