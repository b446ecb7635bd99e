"""YAML with line numbers: loaded safely, so that an error can say where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import yaml

from hcs_core.errors import HcsError, one_line


@attrs.frozen
class Located:
    """A value of a YAML file and the 1-based line that it stands in: that of its key, where it has one.

    `value` is a scalar, a list of `Located`, or a dict from texts to `Located`.
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

    Keys are the texts that stand there: `NO`, `1` and `on` are names of channels, not values.

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
        raise error(f"{path} cannot be read as UTF-8 text ({one_line(fault)}): save it as UTF-8.") from fault
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        return Located(None, 1) if node is None else _Source(path, error).located(node)
    except RecursionError as fault:
        raise error(f"{path}: it is nested too deeply to be read.") from fault
    except yaml.YAMLError as fault:
        raise error(f"{path}{_where(fault, text)}: this is not YAML ({_problem(fault)}).") from fault


def _where(fault: yaml.YAMLError, text: str) -> str:
    if isinstance(fault, yaml.MarkedYAMLError) and fault.problem_mark is not None:
        return f", line {fault.problem_mark.line + 1}"
    position = getattr(fault, "position", None)
    return f", line {text.count(chr(10), 0, position) + 1}" if isinstance(position, int) else ""


def _problem(fault: yaml.YAMLError) -> str:
    if isinstance(fault, yaml.MarkedYAMLError):
        return ", ".join(part for part in (fault.context, fault.problem) if part)
    return one_line(fault)


_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@attrs.frozen
class _Source:
    path: Path
    error: type[HcsError]
    made: dict[yaml.Node, Any] = attrs.field(factory=dict)
    """What was read already: an anchor that is used a thousand times is read once."""

    def wrong(self, node: yaml.Node, text: str) -> HcsError:
        return self.error(f"{self.path}, line {node.start_mark.line + 1}: {text}")

    def located(self, node: yaml.Node, line: int | None = None, above: tuple[yaml.Node, ...] = ()) -> Located:
        if node in above:
            raise self.wrong(node, "an anchor here holds itself: write its content out.")
        line = line or node.start_mark.line + 1
        if node not in self.made:
            self.made[node] = self.value(node, (*above, node))
        return Located(self.made[node], line)

    def value(self, node: yaml.Node, within: tuple[yaml.Node, ...]) -> Any:
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _COLLECTIONS:
            raise self.wrong(node, f"the tag {node.tag!r} means nothing here: leave it out.")
        if isinstance(node, yaml.MappingNode):
            return self.items(node, within)
        if isinstance(node, yaml.SequenceNode):
            return [self.located(item, None, within) for item in node.value]
        return self.scalar(node)

    def items(self, node: yaml.MappingNode, within: tuple[yaml.Node, ...]) -> dict[str, Located]:
        """Return a mapping's entries; `<<` brings those of another mapping that are not said here."""
        own: dict[str, Located] = {}
        merged: dict[str, Located] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.wrong(key, "a key is a list or a mapping: write a name.")
            if key.tag == "tag:yaml.org,2002:merge":
                merged |= self.merged(value, within)
            elif key.value in own:
                raise self.wrong(key, f"the key {key.value!r} stands here twice.")
            else:
                own[key.value] = self.located(value, key.start_mark.line + 1, within)
        return merged | own

    def merged(self, node: yaml.Node, within: tuple[yaml.Node, ...]) -> dict[str, Located]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, Located] = {}
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                raise self.wrong(source, "`<<` takes a mapping, or a list of them.")
            found = self.located(source, None, within).value | found
        return found

    def scalar(self, node: yaml.Node) -> Any:
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node, deep=True)
        except (ValueError, KeyError, OverflowError) as fault:
            # PyYAML takes 2024-13-45 for a date, and `._` for a number.
            raise self.wrong(
                node, f"{node.value!r} cannot be read as the value that it looks like: quote it."
            ) from fault
        finally:
            loader.dispose()
