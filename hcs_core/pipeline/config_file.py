"""The configuration as a YAML file: the fields of `GlobalPipelineConfig`, nested as the classes are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from hcs_core.errors import ConfigError, did_you_mean
from hcs_core.pipeline.config import GlobalPipelineConfig, PathPlanningConfig, VFSConfig, WritersConfig, ZarrConfig
from hcs_core.pipeline.yaml_source import Located, read_yaml

_NESTED: dict[str, type[Any]] = {
    "path_planning": PathPlanningConfig,
    "vfs": VFSConfig,
    "zarr": ZarrConfig,
    "writers": WritersConfig,
}


def load_config(path: Path) -> GlobalPipelineConfig:
    """Read a configuration file; what it does not say is the default.

    Raises
    ------
    ConfigError
        It cannot be read, or has an unknown key or a wrong value; the text names the file and the line.
    """
    source = read_yaml(path, ConfigError)
    if source.value is None:
        return GlobalPipelineConfig()
    said = {
        key: _made(_NESTED[key], _fields(_NESTED[key], item, path, f"{key}."), item, path)
        if key in _NESTED
        else item.plain()
        for key, item in _mapping(GlobalPipelineConfig, source, path, "").items()
        # A section of which everything is commented out says nothing.
        if key not in _NESTED or item.value is not None
    }
    config: GlobalPipelineConfig = _made(GlobalPipelineConfig, said, source, path)
    return config


def _mapping(cls: type[Any], source: Located, path: Path, prefix: str) -> dict[str, Located]:
    names = [field.name for field in attrs.fields(cls)]
    if not isinstance(source.value, dict):
        raise ConfigError(f"{path}, line {source.line}: expected a mapping with {', '.join(names)}.")
    for key, item in source.value.items():
        if key not in names:
            raise ConfigError(
                f"{path}, line {item.line}: unknown key {prefix + str(key)!r}.{did_you_mean(str(key), names)} "
                f"There are {', '.join(names)}."
            )
    return source.value


def _fields(cls: type[Any], source: Located, path: Path, prefix: str) -> dict[str, Any]:
    return {key: item.plain() for key, item in _mapping(cls, source, path, prefix).items()}


def _made(cls: type[Any], said: dict[str, Any], source: Located, path: Path) -> Any:
    try:
        return cls(**said)
    except ConfigError as error:
        field = str(error).partition("=")[0]
        item = source.value.get(field, source)
        raise ConfigError(f"{path}, line {item.line}: {error}") from error
