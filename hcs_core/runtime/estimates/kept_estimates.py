"""Estimates of a plate that are kept in the output, in `.hcs/estimates`: a rerun takes the same ones.

A JSON document for each reduction, by the key of what makes it, and a numpy file for each image in it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from hcs_core.errors import StorageError
from hcs_core.runtime.output_folder import ESTIMATES
from hcs_core.runtime.task import GivenEstimate
from hcs_core.runtime.whole_files import write_whole

VERSION = 1


@attrs.frozen(kw_only=True)
class ChannelEstimate:
    """What was estimated for a channel: what workers are given, from how many planes, and what is noted of it.

    `unreadable` are the files that were left out of the sample, relative to the plate; `failed` the wells of which
    nothing could be computed, each with why.
    """

    given: GivenEstimate
    planes: int
    unreadable: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    notes: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class StageEstimate:
    """What a reduction made: its key, and each channel's estimate; `anew` whether this run made it."""

    key: str
    channels: tuple[ChannelEstimate, ...]
    anew: bool = False

    @property
    def digest(self) -> str:
        """The digest of the values."""
        return hashlib.sha256(repr([channel.given.digest for channel in self.channels]).encode()).hexdigest()


def estimates_digest(estimates: Sequence[StageEstimate]) -> str:
    """Return what stands for all the estimates that a well is made with; empty without any."""
    if not estimates:
        return ""
    return hashlib.sha256(repr([estimate.digest for estimate in estimates]).encode()).hexdigest()


class KeptEstimates:
    """The estimates that an output folder keeps."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._folder = output / ESTIMATES

    def keys(self) -> frozenset[str]:
        """Return the keys of all that are kept."""
        return frozenset(path.stem for path in self._folder.glob("[!.]*.json"))

    def read(self, key: str) -> StageEstimate | None:
        """Return what is kept under a key; `None` where there is nothing, or nothing whole."""
        try:
            document = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
            if document["version"] != VERSION:
                return None
            channels = tuple(
                ChannelEstimate(
                    given=GivenEstimate(**{**channel["given"], "numbers": tuple(channel["given"]["numbers"])}),
                    planes=channel["planes"],
                    unreadable=tuple(channel["unreadable"]),
                    failed=tuple(channel["failed"]),
                    notes=channel["notes"],
                )
                for channel in document["channels"]
            )
        # What is not whole is made again.
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if any(channel.given.file and not (self._output / channel.given.file).is_file() for channel in channels):
            return None
        return StageEstimate(key=key, channels=channels)

    def image(self, given: GivenEstimate) -> npt.NDArray[np.float32]:
        """Return the image of an estimate.

        Raises
        ------
        StorageError
            Its file cannot be read.
        """
        path = self._output / given.file
        try:
            image: npt.NDArray[np.float32] = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise StorageError(f"{path} cannot be read ({error}): run again with --reestimate.") from error
        return image

    def keep_value(self, key: str, node: int, channel: int, parameter: str, value: Any) -> GivenEstimate:
        """Write the value of an estimate, an image as a file; return what workers are given."""
        if isinstance(value, tuple):
            digest = hashlib.sha256(repr(value).encode()).hexdigest()
            return GivenEstimate(node=node, channel=channel, parameter=parameter, digest=digest, numbers=value)
        content = io.BytesIO()
        np.save(content, value, allow_pickle=False)
        digest = hashlib.sha256(content.getvalue()).hexdigest()
        # Its content is in its name: workers of a run before never read another than they were given.
        name = f"{key[:16]}_{channel}_{digest[:16]}.npy"
        write_whole(self._folder / name, content.getvalue())
        return GivenEstimate(
            node=node, channel=channel, parameter=parameter, digest=digest, file=f"{ESTIMATES}/{name}"
        )

    def keep(self, estimate: StageEstimate) -> None:
        """Keep an estimate in place of what is there under its key; images that are left over are removed."""
        document = {"version": VERSION, "channels": [attrs.asdict(channel) for channel in estimate.channels]}
        write_whole(self._folder / f"{estimate.key}.json", json.dumps(document, indent=1) + "\n")
        current = {Path(channel.given.file).name for channel in estimate.channels}
        for path in self._folder.glob(f"{estimate.key[:16]}_*.npy"):
            if path.name not in current:
                path.unlink(missing_ok=True)
