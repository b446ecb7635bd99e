"""The configuration: where results go, how they are stored, how wells are run. Validated when it is made."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import attrs

from hcs_core.errors import ConfigError
from hcs_core.pipeline.names import (
    Backend,
    MaterializationBackend,
    Microscope,
    MissingData,
    OmeZarrVersion,
    ZarrChunkStrategy,
    ZarrCompressor,
    ZarrShards,
)
from hcs_core.pipeline.selection import Selection, numbers
from hcs_core.pipeline.writers_config import WritersConfig

__all__ = [
    "GlobalPipelineConfig",
    "PathPlanningConfig",
    "Selection",
    "VFSConfig",
    "WritersConfig",
    "ZarrConfig",
    "bytes_of",
    "numbers",
]

E = TypeVar("E", bound=StrEnum)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
MOST_WORKERS = 1024
"""More workers than that are a mistake."""


def _wrong(field: str, value: object, allowed: str) -> ConfigError:
    return ConfigError(f"{field}={value!r}: expected {allowed}.")


def _whole(low: int, high: int) -> Any:
    def check(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise _wrong(attribute.name, value, f"a whole number from {low} to {high}")

    return check


def _flag(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, bool):
        raise _wrong(attribute.name, value, "true or false")


def _folder_name(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[^/\\\0]+", value) or value in {".", ".."}:
        raise _wrong(attribute.name, value, "a name without a slash")


def _made_of(cls: type[Any]) -> Any:
    def check(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, cls):
            raise _wrong(attribute.name, value, f"a {cls.__name__}")

    return check


def _output_folder(value: str | os.PathLike[str] | None) -> Path | None:
    return None if value is None else _folder("global_output_folder", value)


def _results_path(value: str | os.PathLike[str]) -> Path:
    return _folder("materialization_results_path", value)


def _folder(field: str, value: object) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise _wrong(field, value, "the path of a folder")
    return Path(value)


def _plain(value: Any) -> Any:
    # A member of an enum and its text are one name, and must be one in a digest too. The validator sees the rest.
    return str(value) if isinstance(value, StrEnum) else value


def _name(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise _wrong(attribute.name, value, "a name such as 'zarr'")


def _device(_instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[^\s:]+(:[^\s:]+)?", value):
        raise _wrong(attribute.name, value, "a device such as 'cpu', 'cuda' or 'cuda:0'")


def _enum(enum: type[E], field: str, value: object) -> E:
    try:
        return enum(str(value))
    except ValueError as error:
        raise _wrong(field, value, "one of " + ", ".join(enum)) from error


def _compressor(value: object) -> ZarrCompressor:
    return _enum(ZarrCompressor, "compressor", value)


def _chunk_strategy(value: object) -> ZarrChunkStrategy:
    return _enum(ZarrChunkStrategy, "chunk_strategy", value)


def _shards(value: object) -> ZarrShards:
    return _enum(ZarrShards, "shards", value)


def _ome_zarr_version(value: object) -> OmeZarrVersion:
    # A file's bare 0.4 is a number.
    return _enum(OmeZarrVersion, "ome_zarr_version", value)


def _missing(value: object) -> MissingData:
    return _enum(MissingData, "missing", value)


def bytes_of(value: int | str | None) -> int | None:
    """Return a number of bytes from `16G`, `500M` or a whole number; `None` stays.

    Raises
    ------
    ConfigError
        It is neither.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    pattern = r"([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})\s*([KMGT]?)(?:i?B)?"
    match = re.fullmatch(pattern, str(value).strip(), flags=re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[match[2].upper()]) if match and isinstance(value, str) else 0
    if size > 0:
        return size
    raise _wrong("memory_limit", value, "a size such as 16G or 500M")


@attrs.frozen(kw_only=True)
class PathPlanningConfig:
    """Where results go.

    Attributes
    ----------
    output_dir_suffix
        The output folder is `<plate's name><suffix>`, beside the plate; never empty.
    global_output_folder
        The folder in which output folders are made, instead of beside the plate.
    materialization_results_path
        The folder of tables, relative to the output folder or absolute.
    """

    output_dir_suffix: str = attrs.field(default="_outputs", validator=_folder_name)
    global_output_folder: Path | None = attrs.field(default=None, converter=_output_folder)
    materialization_results_path: Path = attrs.field(default=Path("results"), converter=_results_path)


@attrs.frozen(kw_only=True)
class VFSConfig:
    """Which storage backend holds what steps pass on, and which holds what is kept."""

    intermediate_backend: str = attrs.field(default=Backend.MEMORY, converter=_plain, validator=_name)
    materialization_backend: str = attrs.field(default=MaterializationBackend.ZARR, converter=_plain, validator=_name)


@attrs.frozen(kw_only=True)
class ZarrConfig:
    """How OME-Zarr plates are written.

    Attributes
    ----------
    store_name
        The folder of the plate within the output folder.
    compressor, compression_level, shuffle
        How chunks are packed; level 0 to 9, the shuffle of bytes is blosc's.
    chunk_strategy
        `plane`, `single` or `tiled`.
    shards
        `none`: each chunk is a file; `image`: the chunks of an image's level and timepoint share one, which plates
        with hundreds of thousands of small chunks need. For version 0.5 only.
    ome_zarr_version
        `0.5` on zarr format 3, or `0.4` on zarr format 2 for readers that do not know the newer one.
    ome_zarr_metadata, write_plate_metadata
        Whether images get display metadata (`omero`), and wells and plate their own.
    """

    store_name: str = attrs.field(default="images.zarr", validator=_folder_name)
    compressor: ZarrCompressor = attrs.field(default=ZarrCompressor.ZSTD, converter=_compressor)
    compression_level: int = attrs.field(default=1, validator=_whole(0, 9))
    shuffle: bool = attrs.field(default=True, validator=_flag)
    chunk_strategy: ZarrChunkStrategy = attrs.field(default=ZarrChunkStrategy.PLANE, converter=_chunk_strategy)
    shards: ZarrShards = attrs.field(default=ZarrShards.NONE, converter=_shards)
    ome_zarr_version: OmeZarrVersion = attrs.field(default=OmeZarrVersion.V0_5, converter=_ome_zarr_version)
    ome_zarr_metadata: bool = attrs.field(default=True, validator=_flag)
    write_plate_metadata: bool = attrs.field(default=True, validator=_flag)

    def __attrs_post_init__(self) -> None:
        """Refuse shards where the format has none."""
        if self.shards != ZarrShards.NONE and self.ome_zarr_version == OmeZarrVersion.V0_4:
            raise _wrong(
                "shards", str(self.shards), "none, because OME-Zarr 0.4 has no shards; write 0.5 to have them"
            )


@attrs.frozen(kw_only=True)
class GlobalPipelineConfig:
    """How pipelines are run on a plate.

    Attributes
    ----------
    num_workers
        How many wells are worked on at once; `None`: one for each usable core.
    path_planning, vfs, zarr
        Where results go, what holds them, and how OME-Zarr is written.
    writers
        What tables, JSON and images that functions make are written with.
    microscope
        A microscope's name; `auto` asks the folder.
    use_threading
        `None`: processes, or the calling process where one worker is enough; `True`: threads; `False`: always
        processes.
    device
        Where kernels work whose memory type has more than the CPU: `cpu`, `cuda` (any), `cuda:0`; `None`: chosen. A
        step's own `device` goes before it.
    device_fallback
        Whether a call for which a device's memory is too small, even for one image at a time, is computed on the CPU
        instead; a step that says its own `device`, or an operation with its own `memory`, never is.
    memory_limit
        The most that all workers together may need, as bytes or `16G`; a plan that needs more is refused.
    executor
        The name of what runs the wells.
    missing
        What happens where a plane that the layout expects is absent or cannot be read: `error` refuses the plan, or
        fails the well where a file turns out to be unreadable; `skip-site` and `skip-well` leave out the site or the
        well, `fill` the plane alone, whose place in the output stays 0; the results say so.
    """

    num_workers: int | None = attrs.field(default=None, validator=attrs.validators.optional(_whole(1, MOST_WORKERS)))
    path_planning: PathPlanningConfig = attrs.field(
        factory=PathPlanningConfig, validator=_made_of(PathPlanningConfig)
    )
    vfs: VFSConfig = attrs.field(factory=VFSConfig, validator=_made_of(VFSConfig))
    zarr: ZarrConfig = attrs.field(factory=ZarrConfig, validator=_made_of(ZarrConfig))
    writers: WritersConfig = attrs.field(factory=WritersConfig, validator=_made_of(WritersConfig))
    microscope: str = attrs.field(default=Microscope.AUTO, converter=_plain, validator=_name)
    use_threading: bool | None = attrs.field(default=None, validator=attrs.validators.optional(_flag))
    device: str | None = attrs.field(default=None, converter=_plain, validator=attrs.validators.optional(_device))
    device_fallback: bool = attrs.field(default=True, validator=_flag)
    memory_limit: int | None = attrs.field(default=None, converter=bytes_of)
    executor: str = attrs.field(default="local", converter=_plain, validator=_name)
    missing: MissingData = attrs.field(default=MissingData.ERROR, converter=_missing)
