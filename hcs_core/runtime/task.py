"""What goes to a worker and what comes back: plain frozen values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy.typing as npt

from hcs_core.arrays.table import Table
from hcs_core.compiler.plan import Plan
from hcs_core.compiler.stage import SampledPlane
from hcs_core.compiler.well_shape import WellShape
from hcs_core.errors import HcsError
from hcs_core.plate.plane_table import Plane, PlaneState, PlaneTable
from hcs_core.plugins.recipe import PluginRecipe
from hcs_core.storage.layout import WellSummary


@attrs.frozen(kw_only=True, eq=False)
class RunJob:
    """What a worker is told once: the plan, where the plate and the results are, and which plugins to use."""

    plan: Plan
    plate_root: Path
    output: Path
    plugins: PluginRecipe


@attrs.frozen(kw_only=True)
class SampleTask:
    """What a reduction samples of a well: for which parameter of which node, and which planes (`None`: all)."""

    node: int
    parameter: str
    planes: tuple[SampledPlane, ...] | None


@attrs.frozen(kw_only=True)
class GivenEstimate:
    """What a stage before made for a node's channel: numbers, or an image in a file of the output folder.

    `file` is relative to the output folder, a numpy file; `digest` is the content's.
    """

    node: int
    channel: int
    parameter: str
    digest: str
    numbers: tuple[float, ...] = ()
    file: str = ""


@attrs.frozen(kw_only=True, eq=False)
class WellTask:
    """One well of a stage: its sites with what they lack, its planes, and what the stages before have made.

    `positions` are (y, x) in um of the fields' centres from the well's, of the sites of which they are known, if the
    plan asks for that. `sample` says what a reduction samples of the well; without it the well is made.
    """

    well: str
    shape: WellShape
    planes: PlaneTable
    estimates: tuple[GivenEstimate, ...] = ()
    sample: SampleTask | None = None
    positions: Mapping[int, tuple[float, float]] = attrs.field(factory=dict)

    @property
    def sites(self) -> tuple[int, ...]:
        """Its sites."""
        return self.shape.sites

    def digest(self) -> str:
        """Return a digest of what the well is made from: planes, and positions where they count."""
        planes = self.planes.digest()
        if not self.positions:
            return planes
        return hashlib.sha256(f"{planes}{sorted(self.positions.items())!r}".encode()).hexdigest()


@attrs.frozen(kw_only=True)
class AbsentPlane:
    """A plane of the plate that gave no pixels: where it belongs, its state, its file, and why.

    `channel` is the plate's number; `kind` and `state` are the words of `PlaneKind` and `PlaneState`; `file` is
    relative to the plate's folder, and empty where there is none.
    """

    site: int
    channel: int
    z_index: int
    timepoint: int
    kind: str
    state: str
    file: str = ""
    error: str = ""

    @classmethod
    def of(cls, plane: Plane, state: PlaneState, error: str = "") -> AbsentPlane:
        """Return what is known of a plane of the inventory."""
        return cls(
            site=plane.site,
            channel=plane.channel,
            z_index=plane.z_index,
            timepoint=plane.timepoint,
            kind=plane.kind.name.lower(),
            state=state.word,
            file=plane.uri,
            error=error,
        )


@attrs.frozen(kw_only=True)
class Fault:
    """Why a well failed, as far as it is known: the site, step, function and file, and one line of text.

    `plane` is the plane whose file cannot be used, where that is why.
    """

    error: str
    site: int | None = None
    step: str = ""
    function: str = ""
    file: str = ""
    trace: str = ""
    plane: AbsentPlane | None = None


@attrs.frozen(kw_only=True)
class Fallback:
    """What was done where the memory of a device was too small for a kernel, and how often.

    Either its `batch` became so small, or another kernel, or itself on another device, computed calls.
    """

    step: str
    kernel: str
    device: str
    batch: int = 0
    other_kernel: str = ""
    other_device: str = ""
    version: str = ""
    calls: int = 1

    @property
    def to(self) -> str:
        """What was done instead, in words."""
        return f"{self.other_kernel} on {self.other_device}" if self.other_kernel else f"{self.batch} at once"


@attrs.frozen(kw_only=True)
class WellRecord:
    """What became of a well.

    `status` is `ok`, `failed`, `skipped` or `cached`; `sites` those that were made; `absent` the planes that turned
    out to give no pixels; `summaries` by the name of the store; `tables` what was measured in it, by name, and
    `documents` what its functions made as JSON: the driver keeps both in a file, and then they leave the record. That
    of a sample has in `collected` the arrays of each channel of its node, in `sampled` how many planes gave them.
    `conversions` are those between memory types, by route (`numpy->torch`), `fallbacks` what was done where a device
    was too small. `devices` are those other than the CPU that its worker works on.
    """

    well: str
    status: str
    seconds: float = 0.0
    peak_memory_bytes: int = 0
    sites: tuple[int, ...] = ()
    absent: tuple[AbsentPlane, ...] = ()
    summaries: Mapping[str, WellSummary] = attrs.field(factory=dict)
    tables: Mapping[str, Table] = attrs.field(factory=dict)
    documents: Mapping[str, Any] = attrs.field(factory=dict)
    collected: Mapping[int, tuple[npt.NDArray[Any], ...]] = attrs.field(factory=dict, eq=False, repr=False)
    sampled: Mapping[int, int] = attrs.field(factory=dict)
    conversions: Mapping[str, int] = attrs.field(factory=dict)
    fallbacks: tuple[Fallback, ...] = ()
    devices: tuple[str, ...] = ()
    fault: Fault | None = None


class WellFaultError(HcsError):
    """A well cannot go on; it carries the fault for the well's record."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.error)
        self.fault = fault
