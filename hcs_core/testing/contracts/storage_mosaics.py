"""Rules for storage backends: a well's mosaic beside its sites, of a size that is the well's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy.typing as npt
import pytest

from hcs_core.storage.backend import ImageStore
from hcs_core.storage.layout import MOSAIC, FinishedWell, ImageLayout, PlaneAddress
from hcs_core.testing.contracts.storage_layouts import (
    FIRST,
    SHAPE,
    StorageBackendRules,
    a_plane,
    refused,
)

FRAMES = {"A01": (40, 70), "B02": (50, 60)}
"""(y, x) of the mosaics: another in each well, and none of a site's."""

_OF_WELL = PlaneAddress(site=MOSAIC, t=1, c=0, z=1)


class MosaicRules(StorageBackendRules):
    """What a store does that keeps mosaics."""

    def mosaics(self) -> ImageLayout:
        """Return the layout that the mosaics of a store share."""
        image = self.layout().image
        assert image is not None
        return attrs.evolve(image, shape=(*SHAPE[:3], 0, 0), level_shapes=(), chunk=(1, 1, 1, 32, 32))

    @pytest.fixture
    def stitched(self, folder: Path) -> ImageStore:
        """A store with the declared wells A01 and B02 of two sites and a mosaic, and C03 of two sites alone."""
        store = self.opened(folder, mosaic=self.mosaics())
        store.declare(dict.fromkeys(("A01", "B02", "C03"), (1, 2)), mosaics=FRAMES)
        return store

    def test_a_mosaic_comes_back_beside_its_sites(self, stitched: ImageStore) -> None:
        """Each well's in its own size, before the well is finished and after."""
        truth = {well: self._filled(stitched, well, sites=(1,)) for well in FRAMES}
        wrong = [line for well in FRAMES for line in _differing(stitched, well, truth[well])]
        for well, frame in FRAMES.items():
            stitched.finish_well(FinishedWell(well=well, sites=(1, 2), mosaic=frame, mosaic_translation=(1.0, 2.0)))
        wrong += [line for well in FRAMES for line in _differing(stitched, well, truth[well])]
        assert not wrong, (
            f"a mosaic and a site's plane are kept apart, each as it was written: {'; '.join(wrong[:3])}."
        )
        unlisted = set(FRAMES) - set(stitched.finished_wells())
        assert not unlisted, f"a well with a mosaic is listed as any other: {', '.join(unlisted)} is not."

    def test_a_mosaic_of_another_size_is_refused(self, stitched: ImageStore) -> None:
        """That of a site, or of another well."""
        for shape in (SHAPE[3:], FRAMES["B02"]):
            images = stitched.open_well("A01", FRAMES["A01"])
            advice = "compare with the size that the well was declared with"
            refused(f"writing a mosaic of {shape}", advice, images.write, _OF_WELL, a_plane(shape=shape))

    def test_a_mosaic_that_was_not_declared_is_refused(self, stitched: ImageStore) -> None:
        """Arrays exist before any worker starts."""
        images = stitched.open_well("C03")
        advice = "write what was declared"
        refused("writing a mosaic that was not declared", advice, images.write, _OF_WELL, a_plane(shape=(40, 70)))

    def test_a_mosaic_that_was_not_declared_cannot_be_finished(self, stitched: ImageStore) -> None:
        """Nothing is listed that is not there."""
        claimed = FinishedWell(well="C03", sites=(1, 2), mosaic=(40, 70))
        before = stitched.finished_wells()
        refused("finishing a mosaic that was not declared", "list what is there", stitched.finish_well, claimed)
        assert stitched.finished_wells() == before, "a well that cannot be finished is not listed: C03 is."

    def test_a_store_may_hold_mosaics_alone(self, folder: Path) -> None:
        """A well has no sites there."""
        store = self.opened(folder, image=None, mosaic=self.mosaics())
        try:
            store.declare({"A01": ()}, mosaics={"A01": FRAMES["A01"]})
            truth = self._filled(store, "A01", sites=())
            store.finish_well(FinishedWell(well="A01", sites=(), mosaic=FRAMES["A01"]))
            wrong = _differing(store, "A01", truth)
            listed: object = store.finished_wells()
        # Whatever it raises is what this is about.
        except Exception as error:  # noqa: BLE001
            pytest.fail(f"a store holds mosaics without sites (image=None): it raises {error!r}.", pytrace=False)
        assert not wrong, f"a store of mosaics alone gives them back: {'; '.join(wrong)}."
        assert listed == ("A01",), f"a store of mosaics alone lists its wells: {listed}, not A01."

    def _filled(self, store: ImageStore, well: str, sites: tuple[int, ...]) -> dict[PlaneAddress, npt.NDArray[Any]]:
        """Write planes into a well, close it, and return them."""
        planes = {attrs.evolve(_OF_WELL, site=site): a_plane(10 + site) for site in sites}
        planes |= {FIRST: a_plane(3)} if sites else {}
        planes[_OF_WELL] = a_plane(sum(map(ord, well)), shape=FRAMES[well])
        images = store.open_well(well, FRAMES[well])
        for address, plane in planes.items():
            images.write(address, plane.copy())
        images.close()
        return planes


def _differing(store: ImageStore, well: str, truth: dict[PlaneAddress, npt.NDArray[Any]]) -> list[str]:
    images = store.open_well(well, FRAMES[well])
    return [
        f"{address} of {well}"
        for address, plane in truth.items()
        if (found := images.read(address)).shape != plane.shape or not (found == plane).all()
    ]
