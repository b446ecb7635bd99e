"""What the faults of a plate do to its planes: the truth that a reader of the plate is compared with."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from enum import StrEnum

import attrs
import numpy as np

from hcs_core import PlateError
from hcs_synthetic.faults import Fault, FaultKind
from hcs_synthetic.randomness import Purpose, generator
from hcs_synthetic.settings import PlateSettings

PlaneKey = tuple[str, int, int, int, int]
"""Well, site, channel, z_index and timepoint: what `SyntheticPlate.image` takes."""


class Effect(StrEnum):
    """What a reader can know of a damaged plane."""

    ABSENT = "absent"
    """It has no file, and the files that there are show that it should have one."""
    NOT_ACQUIRED = "not_acquired"
    """It has no file, and neither has any other plane of its well, or of its site's number, or of its channel,
    z_index and timepoint: only an index can tell that it was planned. A layout whose index records each plane by
    itself calls it absent too."""
    UNREADABLE = "unreadable"
    """Its file gives no pixels."""
    MISMATCHED = "mismatched"
    """Its file gives pixels of another shape or dtype than the plate's."""
    DUPLICATE = "duplicate"
    """It is whole, and there is a second file of it."""


_EFFECTS = {
    FaultKind.TRUNCATED: Effect.UNREADABLE,
    FaultKind.EMPTY: Effect.UNREADABLE,
    FaultKind.TEXT: Effect.UNREADABLE,
    FaultKind.WRONG_DTYPE: Effect.MISMATCHED,
    FaultKind.WRONG_SHAPE: Effect.MISMATCHED,
    FaultKind.DUPLICATE: Effect.DUPLICATE,
}


@attrs.frozen(kw_only=True)
class DamagedPlane:
    """A plane that is not as it should be: which, what a reader can know of it (`effect`), and why (`kind`)."""

    well: str
    site: int
    channel: int
    z_index: int
    timepoint: int
    kind: FaultKind
    effect: Effect

    @property
    def key(self) -> PlaneKey:
        """Well, site, channel, z_index and timepoint."""
        return self.well, self.site, self.channel, self.z_index, self.timepoint


def plane_keys(settings: PlateSettings) -> list[PlaneKey]:
    """Return every plane of a plate: by well, as the plate lists them, site, channel, z_index and timepoint."""
    sites, channels, z_indexes, timepoints = (range(1, count + 1) for count in settings.counts.values())
    return list(itertools.product(settings.wells, sites, channels, z_indexes, timepoints))


def damage(settings: PlateSettings, faults: Sequence[Fault]) -> tuple[DamagedPlane, ...]:
    """Return what faults do to the planes of a plate, in the order of `plane_keys`.

    Each fault is taken to be in those of its planes that no fault before it is in.

    Raises
    ------
    hcs_core.PlateError
        A fault names what the plate does not have, no plane is left to it, or no file is left of the plate.
    """
    keys = plane_keys(settings)
    kinds: dict[PlaneKey, FaultKind] = {}
    for order, fault in enumerate(faults):
        kinds |= dict.fromkeys(_hit(settings, fault, order, keys, kinds), fault.kind)
    left = [key for key in keys if kinds.get(key) != FaultKind.MISSING]
    if not left:
        raise PlateError(f"the faults of {settings.name!r} leave no file of it: let at least one plane be there.")
    wells, sites, stacks = ({part(key) for key in left} for part in (_well, _site, _stack))
    damaged = []
    for key in keys:
        if key not in kinds:
            continue
        shown = _well(key) in wells and _site(key) in sites and _stack(key) in stacks
        effect = _EFFECTS.get(kinds[key], Effect.ABSENT if shown else Effect.NOT_ACQUIRED)
        well, site, channel, z_index, timepoint = key
        damaged.append(
            DamagedPlane(
                well=well, site=site, channel=channel, z_index=z_index, timepoint=timepoint, kind=kinds[key],
                effect=effect,
            )
        )  # fmt: skip
    return tuple(damaged)


def _well(key: PlaneKey) -> object:
    return key[0]


def _site(key: PlaneKey) -> object:
    return key[1]


def _stack(key: PlaneKey) -> object:
    return key[2:]


def _hit(
    settings: PlateSettings, fault: Fault, order: int, keys: Sequence[PlaneKey], taken: Mapping[PlaneKey, FaultKind]
) -> list[PlaneKey]:
    """Return the planes that a fault is in, the `order`-th of the plate's."""
    wells = None if fault.wells is None else {settings.known_well(well) for well in fault.wells}
    chosen = (fault.sites, fault.channels, fault.z_indexes, fault.timepoints)
    for component, numbers in zip(settings.counts, chosen, strict=True):
        for number in numbers or ():
            settings.check_number(component, number)
    wanted = (wells, *chosen)
    open_to_it = [
        key
        for key in keys
        if key not in taken and all(some is None or part in some for part, some in zip(key, wanted, strict=True))
    ]
    least = fault.count or 1
    if len(open_to_it) < least:
        raise PlateError(
            f"{fault} of {settings.name!r} finds {len(open_to_it)} planes without another fault, and needs {least}: "
            "select others, or put it before the faults that take them."
        )
    if fault.count is None:
        return open_to_it
    # The fault's place in the list, where others have a site: two faults of one plate draw differently.
    lots = generator(settings.seed, Purpose.FAULTS, site=order).bit_generator.random_raw(len(open_to_it))
    return [open_to_it[index] for index in np.argsort(lots, kind="stable")[: fault.count].tolist()]
