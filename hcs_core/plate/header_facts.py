"""What headers say, put together: spacings, names, shape and dtype, and where they contradict the folder."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import attrs

from hcs_core.errors import PlateError
from hcs_core.plate.inventory import Channel, Plate
from hcs_core.plate.microscope import PlaneFacts
from hcs_core.plate.plane_table import Plane, PlaneKind
from hcs_core.plate.reader import Header


@attrs.frozen(kw_only=True)
class Sample:
    """A plane whose header was opened."""

    plane: Plane
    header: Header
    facts: PlaneFacts


def settle(plate: Plate, samples: Sequence[Sample]) -> Plate:
    """Return the plate with pixel size, z and time spacing, shape, dtype and channel names from the samples.

    What the inventory has already stays. Of shapes, dtypes and pixel sizes that differ, that of most samples counts:
    one wrong file must not decide for all others.
    """
    sizes = Counter(sample.facts.pixel_size_um for sample in samples if sample.facts.pixel_size_um)
    frames = Counter((sample.header.shape, sample.header.dtype) for sample in samples).most_common(1)
    shape, dtype = frames[0][0] if frames else (None, None)
    channels = unique_channels(tuple(_channel(channel, samples) for channel in plate.channels))
    acquired = [sample for sample in samples if sample.plane.kind == PlaneKind.ACQUIRED]
    return attrs.evolve(
        plate,
        channels=channels,
        image_shape=plate.image_shape or shape,
        dtype=plate.dtype or dtype,
        pixel_size_um=plate.pixel_size_um or (sizes.most_common(1)[0][0] if sizes else None),
        z_step_um=plate.z_step_um
        or _spacing(acquired, lambda plane: plane.z_index, lambda plane: plane.timepoint, lambda facts: facts.z_um),
        time_step_s=plate.time_step_s
        or _spacing(acquired, lambda plane: plane.timepoint, lambda plane: plane.z_index, lambda facts: facts.time_s),
    )


def _channel(channel: Channel, samples: Sequence[Sample]) -> Channel:
    """Fill in a channel's name and wavelength from the headers of its planes."""
    own = [sample.facts for sample in samples if sample.plane.channel == channel.number]
    name = channel.name or next((facts.channel_name for facts in own if facts.channel_name), "")
    wavelength = channel.wavelength_nm or next((facts.wavelength_nm for facts in own if facts.wavelength_nm), None)
    return attrs.evolve(channel, name=name or f"channel{channel.number}", wavelength_nm=wavelength)


def unique_channels(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Return the channels with names that no two share: those that do become `w<number>_<name>`.

    Raises
    ------
    PlateError
        Two channels have one number.
    """
    numbers = [channel.number for channel in channels]
    if len(set(numbers)) != len(numbers):
        raise PlateError(f"the plate's channels are numbered {numbers}: each needs a number of its own.")
    while True:
        counts = Counter(channel.name for channel in channels)
        if len(counts) == len(channels):
            return channels
        # Again, as `w1_X` may be the name of another channel: names get longer until none is shared.
        channels = tuple(
            attrs.evolve(channel, name=f"w{channel.number}_{channel.name}") if counts[channel.name] > 1 else channel
            for channel in channels
        )


def _spacing(
    samples: Iterable[Sample],
    along: Callable[[Plane], int],
    fixed: Callable[[Plane], int],
    value: Callable[[PlaneFacts], float | None],
) -> float | None:
    """Return the median distance between neighbours along one component, within one channel only.

    Channels may be offset against each other, so that neighbours of two channels say nothing. Copies of one
    plane (an exporter fills stacks with them) have no distance and are left out.
    """
    series: dict[tuple[int, int], dict[int, float]] = {}
    for sample in samples:
        found = value(sample.facts)
        if found is not None:
            series.setdefault((sample.plane.channel, fixed(sample.plane)), {})[along(sample.plane)] = found
    distances = []
    for points in series.values():
        ordered = sorted(points.items())
        for (first, start), (second, end) in itertools.pairwise(ordered):
            if end != start:
                distances.append(abs(end - start) / (second - first))
    return statistics.median(distances) if distances else None


def contradictions(plate: Plate, samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return where headers contradict the folder or each other, a sentence for each kind and channel."""
    found: dict[str, list[str]] = {}
    for sample in samples:
        plane, facts = sample.plane, sample.facts
        name = f"channel {plane.channel} ({plate.channel(plane.channel).name})"
        checks = {
            f"{name}: the header says z_index {facts.z_index}, the folder {plane.z_index}": (
                facts.z_index is not None and plane.kind == PlaneKind.ACQUIRED and facts.z_index != plane.z_index
            ),
            f"{name}: the header says timepoint {facts.timepoint}, the folder {plane.timepoint}": (
                facts.timepoint is not None and facts.timepoint != plane.timepoint
            ),
            f"{name}: the header says projection, the folder z_index {plane.z_index}": (
                facts.is_projection is True and plane.kind == PlaneKind.ACQUIRED
            ),
            f"{name}: the header says z_index {facts.z_index}, the folder projection": (
                facts.is_projection is False and facts.z_index is not None and plane.kind == PlaneKind.PROJECTION
            ),
            f"the header says well {facts.well}, the name {plane.well}": (
                facts.well is not None and facts.well != plane.well
            ),
            f"the header says site {facts.site}, the name {plane.site}": (
                facts.site is not None and facts.site != plane.site
            ),
            f"{name}: its images are {sample.header.shape} {sample.header.dtype}, others "
            f"{plate.image_shape} {plate.dtype}": (
                (sample.header.shape, sample.header.dtype) != (plate.image_shape, plate.dtype)
            ),
            f"{name}: its pixel size is {facts.pixel_size_um} um, that of others {plate.pixel_size_um} um": (
                not _agree(facts.pixel_size_um, plate.pixel_size_um)
            ),
        }
        for text, holds in checks.items():
            if holds:
                found.setdefault(text, []).append(plane.uri)
    sentences = [f"{text} ({uris[0]})" for text, uris in found.items()]
    return (*sentences, *_copies(plate, samples))


def _agree(size: float | None, others: float | None) -> bool:
    """Whether two pixel sizes are one, as far as headers write it: they are texts with few digits."""
    return not size or (others is not None and math.isclose(size, others, rel_tol=1e-6))


def _copies(plate: Plate, samples: Sequence[Sample]) -> list[str]:
    """Return which planes are one plane, exported several times."""
    same: dict[tuple[int, str], list[Plane]] = {}
    for sample in samples:
        if sample.facts.plane_id:
            same.setdefault((sample.plane.channel, sample.facts.plane_id), []).append(sample.plane)
    return [
        f"channel {number} ({plate.channel(number).name}): {len(planes)} files are copies of one plane "
        f"({', '.join(plane.uri for plane in planes)})"
        for (number, _), planes in same.items()
        if len(planes) > 1
    ]
