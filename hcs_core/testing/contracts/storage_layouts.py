"""The layouts, planes and wells that a storage backend is tried with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs
import numpy as np
import numpy.typing as npt
import pytest

from hcs_core.errors import StorageError, one_line
from hcs_core.plugins.specs import StorageBackendSpec
from hcs_core.storage.backend import ImageStore, StorageBackend, WellStore
from hcs_core.storage.layout import (
    ChannelLayout,
    Compression,
    FinishedWell,
    ImageLayout,
    PlaneAddress,
    StoreLayout,
    WellSummary,
)
from hcs_core.testing.contracts.targets import made

FIRST = PlaneAddress(site=1, t=0, c=0, z=0)
SHAPE = (2, 2, 2, 20, 30)
"""(t, c, z, y, x) of the images: small, with rows and columns that cannot be mistaken for each other."""

CHUNKS = {"plane": (1, 1, 1, 20, 30), "single": (1, 2, 2, 20, 30), "tiled": (1, 1, 1, 10, 15)}
"""(t, c, z, y, x) of a chunk under each strategy."""


class StorageBackendRules:
    """What the rules for storage backends share: the layout, a store, and how wells are written.

    See `StorageBackendContract` for the attributes.
    """

    backend: ClassVar[StorageBackendSpec]
    dtypes: ClassVar[Sequence[str]] = ("uint8", "uint16", "float32")

    def layout(self, **changes: Any) -> StoreLayout:
        """Return the layout of a store; `dtype` and `chunk` change its images, any other keyword the store."""
        image = ImageLayout(
            shape=SHAPE,
            dtype=changes.pop("dtype", "uint16"),
            channels=(ChannelLayout(name="DAPI"), ChannelLayout(name="GFP")),
            pixel_size_um=0.5,
            level_shapes=(SHAPE[3:],),
            chunk=changes.pop("chunk", CHUNKS["plane"]),
        )
        layout = StoreLayout(
            name=f"images{self.backend.suffix}",
            plate_name="Plate 7",
            plate_format=(8, 12),
            image=image,
            compression=Compression(),
            field_count=2,
        )
        return attrs.evolve(layout, **changes)

    def opened(self, folder: Path, **changes: Any) -> ImageStore:
        """Return the store that a folder holds, as another run or process would open it."""
        backend: StorageBackend = made(self.backend)
        return backend.open(folder, self.layout(**changes))

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """The folder that stores lie in, with nothing else in it."""
        folder = tmp_path / "output"
        folder.mkdir()
        return folder

    @pytest.fixture
    def store(self, folder: Path) -> ImageStore:
        """A store with the declared wells A01 and B02 of two sites each."""
        store = self.opened(folder)
        store.declare({"A01": (1, 2), "B02": (1, 2)})
        return store

    def outlives(self) -> None:
        """Skip a rule that is about what outlives the process, for a backend that says it is not durable."""
        if not self.backend.durable:
            pytest.skip(f"{self.backend.name} is declared with durable=False: nothing of it outlives the process")


def a_plane(number: int = 1, dtype: str = "uint16", shape: tuple[int, ...] = SHAPE[3:]) -> npt.NDArray[Any]:
    """Return a (y, x) plane of noise; another number gives other pixels."""
    noise: npt.NDArray[Any] = np.random.default_rng(number).integers(1, 250, shape).astype(dtype)
    return noise


def addresses(sites: Sequence[int] = (1, 2)) -> list[PlaneAddress]:
    """Return every address of some sites."""
    places = itertools.product(sites, *map(range, SHAPE[:3]))
    return [PlaneAddress(site=site, t=t, c=c, z=z) for site, t, c, z in places]


def finished(store: ImageStore, well: str) -> dict[PlaneAddress, npt.NDArray[Any]]:
    """Write some planes of a declared well, finish it, and return those that can be read then."""
    finish(store, well, put(store, well, some_planes()))
    images = store.open_well(well)
    return {address: images.read(address).copy() for address in some_planes() if is_there(store, well, address)}


def some_planes() -> dict[PlaneAddress, npt.NDArray[Any]]:
    """Return some planes of both sites."""
    return {address: a_plane(number) for number, address in enumerate(addresses()) if number % 3 == 0}


def put(store: ImageStore, well: str, planes: Mapping[PlaneAddress, npt.NDArray[Any]]) -> WellSummary:
    """Write planes into a declared well, close it, and return its summary."""
    images: WellStore = store.open_well(well)
    for address, plane in planes.items():
        images.write(address, plane.copy())
    return images.close()


def finish(store: ImageStore, well: str, summary: WellSummary | None = None, sites: Sequence[int] = (1, 2)) -> None:
    """Finish a well as the driver does."""
    store.finish_well(FinishedWell(well=well, sites=tuple(sites), summary=summary or WellSummary()))


def differing(store: ImageStore, well: str, truth: Mapping[PlaneAddress, npt.NDArray[Any]]) -> list[str]:
    """Return which planes of a well do not come back as they were written, with why."""
    images = store.open_well(well)
    wrong = []
    for address, plane in truth.items():
        try:
            found = images.read(address)
        except StorageError as error:
            wrong.append(f"{address} is not there ({error})")
            continue
        if found.dtype != plane.dtype or not np.array_equal(found, plane):
            wrong.append(f"{address} has other pixels ({found.dtype} {found.shape})")
    return wrong


def is_there(store: ImageStore, well: str, address: PlaneAddress = FIRST) -> bool:
    """Whether a well can be opened and a plane of it be read."""
    try:
        store.open_well(well).read(address)
    except StorageError:
        return False
    return True


def refused(what: str, advice: str, call: Any, *args: Any) -> str:
    """Check that a call raises a StorageError of one line, and return its text."""
    try:
        call(*args)
    except StorageError as error:
        text = str(error)
        assert text and "\n" not in text, f"a StorageError says in one line where and why: for {what} it is {text!r}."  # noqa: PT018
        return text
    # Another error than StorageError is the fault that this is about: it ends up as the test's failure.
    except Exception as error:  # noqa: BLE001
        pytest.fail(f"{what} is a StorageError: it was {one_line(error)}; {advice}.", pytrace=False)
    pytest.fail(f"{what} is a StorageError: nothing was raised; {advice}.", pytrace=False)
