"""YAML with line numbers: loaded safely, so that an error can say where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import yaml

from hcs_core.errors import HcsError


@attrs.frozen
class Located:
    """A value of a YAML file and the 1-based line that it stands in.

    `value` is a scalar, a list of `Located`, or a dict from plain keys to `Located`.
    """

    value: Any
    line: int

    def plain(self) -> Any:
        """Return the value without lines."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


def read_yaml(path: Path, error: type[HcsError]) -> Located:
    """Read a YAML file; nothing in it can name code.

    Raises
    ------
    HcsError
        Of the class `error`: the file is not there, is no text, or is not YAML; the text names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as fault:
        raise error(f"{path} does not exist: write one with `hcs init`, or give the path of another.") from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise error(f"{path} cannot be read as text ({fault}).") from fault
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return Located(None, 1)
        return _located(node, path, error)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        problem = getattr(fault, "problem", None) or str(fault).splitlines()[0]
        raise error(f"{where}: this is not YAML ({problem}).") from fault


def _located(node: yaml.Node, path: Path, error: type[HcsError]) -> Located:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        items: dict[Any, Located] = {}
        for key_node, value_node in node.value:
            key = _scalar(key_node)
            if isinstance(key, list | dict) or key in items:
                raise error(f"{path}, line {key_node.start_mark.line + 1}: the key {key!r} stands here twice.")
            items[key] = _located(value_node, path, error)
        return Located(items, line)
    if isinstance(node, yaml.SequenceNode):
        return Located([_located(item, path, error) for item in node.value], line)
    return Located(_scalar(node), line)


def _scalar(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    finally:
        loader.dispose()
