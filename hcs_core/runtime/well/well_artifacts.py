"""The artifacts of one well while it runs: kept for who takes them, and given to the well's record in the end."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hcs_core.arrays.image_artifact import ImageArtifact
from hcs_core.arrays.table import Table
from hcs_core.compiler.artifact_plan import ORDER, ArtifactPlan, TakenPlan
from hcs_core.compiler.node_plan import NodePlan
from hcs_core.compiler.order.artifact_parts import Call, Parts
from hcs_core.compiler.order.presence import Block, Presence
from hcs_core.compiler.plan import Plan
from hcs_core.errors import one_line
from hcs_core.plugins.artifact import ArtifactKind
from hcs_core.plugins.manager import PluginManager
from hcs_core.runtime.task import Fault, WellFaultError
from hcs_core.runtime.well.call_faults import fault_of

COLUMN_OF = {"s": "Metadata_Site", "t": "Metadata_Time", "c": "Metadata_Channel", "z": "Metadata_Z"}
"""The column of a table that says to which place along a component a row belongs."""

_WORD_OF = {"s": "site", "t": "timepoint", "c": "channel", "z": "z_index"}


class WellArtifacts:
    """What the functions of one well make beside images.

    Parameters
    ----------
    plan, presence, well
        Whose artifacts they are.
    plugins
        Where writers of images are registered.
    folder
        Where files of images are made.
    """

    def __init__(self, plan: Plan, presence: Presence, well: str, plugins: PluginManager, folder: Path) -> None:
        self._plan = plan
        self._well = well
        self._plugins = plugins
        self._folder = folder
        self._parts = Parts(plan, presence)
        self._kept: dict[str, dict[Call, Any]] = {artifact.name: {} for artifact in plan.artifacts}
        self._columns: dict[str, tuple[str, ...]] = {}
        self._by_name = {artifact.name: artifact for artifact in plan.artifacts}
        # How many calls have still to take each image: tables and JSON stay for the record anyhow.
        self._takers = Counter(
            (taken.name, part)
            for index, node in enumerate(plan.nodes)
            for taken in node.takes
            if taken.kind == ArtifactKind.IMAGE
            for by in self._parts.all(index)
            for part in self._parts.taken(taken, by)
        )

    def call(self, index: int, block: Block) -> Call:
        """Return which call of a node a block is for."""
        return self._parts.call(index, *block.cells[0])

    def told(self, call: Call) -> dict[str, Any]:
        """Return what a call takes, by keyword, images as the host has them; each is asked for once.

        Raises
        ------
        WellFaultError
            At this place nobody made it.
        """
        return {taken.keyword: self._taken(taken, call) for taken in self._plan.nodes[call.node].takes}

    def _taken(self, taken: TakenPlan, call: Call) -> Any:
        parts = self._parts.taken(taken, call)
        if not parts:
            key = call.key
            raise fault_of(
                self._plan.nodes[call.node],
                key.site,
                f"at z {key.z_index}, t {key.timepoint} nobody made {taken.name!r}, as the planes that it is made of "
                "are absent; take it where it is made, or select what is whole",
            )
        kept = self._kept[taken.name]
        if taken.kind == ArtifactKind.TABLE:
            free = self._parts.free(taken, call)
            tables = [kept[part] for part in parts]
            return Table.joined(
                [
                    table.beside(**self._labels(part, free)) if table.names else table
                    for part, table in zip(parts, tables, strict=True)
                ]
            )
        if taken.kind == ArtifactKind.JSON:
            return json.loads(kept[parts[0]])
        (part,) = parts
        image = kept[part]
        self._takers[taken.name, part] -= 1
        if not self._takers[taken.name, part]:
            del kept[part]
        return image

    def note(self, call: Call, values: Sequence[Any]) -> None:
        """Keep what a call made.

        Raises
        ------
        WellFaultError
            A table has other columns than those before it, or a file cannot be written.
        """
        node = self._plan.nodes[call.node]
        for made, value in zip(node.makes, values, strict=True):
            if made.kind == ArtifactKind.TABLE and value.names:
                names = self._columns.setdefault(made.name, value.names)
                if names != value.names:
                    raise fault_of(
                        node,
                        call.key.site,
                        f"its table {made.name!r} has the columns {', '.join(value.names)}, and the ones before have "
                        f"{', '.join(names)}; give every one the same columns, without rows where nothing is found",
                    )
            if made.kind == ArtifactKind.IMAGE:
                self._write(node, call, self._by_name[made.name], value)
            if made.kind != ArtifactKind.IMAGE or (made.name, call) in self._takers:
                self._kept[made.name][call] = value

    def _write(self, node: NodePlan, call: Call, artifact: ArtifactPlan, image: Any) -> None:
        path = self._folder / artifact.name / self._well / f"{self._file_name(call)}{artifact.suffix}"
        write: Callable[[ImageArtifact, Path], None] = self._plugins.writers.load(artifact.writer)
        channel = self._parts.channel(call)
        # A pixel is known for what has the size of the node's planes: an image of another size is of other pixels.
        pixel = node.input.pixel_size_um if image.shape[-2:] == node.input.shape else None
        made = ImageArtifact(pixels=image, pixel_size_um=pixel, channel=channel.name if channel else "")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(made, path)
        except (OSError, ValueError) as error:
            text = f"{path} cannot be written by the writer {artifact.writer!r} ({one_line(error)})."
            fault = Fault(error=text, site=call.key.site, step=node.step, function=node.operation, file=str(path))
            raise WellFaultError(fault) from error

    def _file_name(self, call: Call) -> str:
        """Return `A01_s001_t001_w01_z003`, with the components that tell its parts apart."""
        over, key = self._plan.nodes[call.node].over, call.key
        channel = self._parts.channel(call)
        marks = {"s": f"s{key.site:03}", "t": f"t{key.timepoint:03}", "z": f"z{key.z_index:03}"}
        if channel is not None:
            marks["c"] = f"w{channel.number:02}" if channel.number else re.sub(r"[^\w-]", "_", channel.name)
        return "_".join([self._well, *(marks[axis] for axis in ORDER if axis in over)])

    def tables(self) -> dict[str, Table]:
        """Return the table of each name: the rows of all its parts, with the columns that say where each belongs."""
        return {
            artifact.name: Table.joined(
                [
                    self._labelled(part, self._kept[artifact.name][part], artifact.over)
                    for part in self._parts.sorted(self._kept[artifact.name])
                ]
            )
            for artifact in self._plan.artifacts
            if artifact.kind == ArtifactKind.TABLE
        }

    def documents(self) -> dict[str, list[dict[str, Any]]]:
        """Return the JSON of each name: an entry for each part, with its place and its `value`."""
        return {
            artifact.name: [
                {**self._place(part, artifact.over, _WORD_OF), "value": json.loads(self._kept[artifact.name][part])}
                for part in self._parts.sorted(self._kept[artifact.name])
            ]
            for artifact in self._plan.artifacts
            if artifact.kind == ArtifactKind.JSON
        }

    def _labelled(self, part: Call, table: Table, over: str) -> Table:
        labels = {"Metadata_Plate": self._plan.plate, "Metadata_Well": self._well, **self._labels(part, over)}
        return table.beside(**labels) if table.names else Table({})

    def _labels(self, part: Call, over: str) -> dict[str, Any]:
        return self._place(part, over, COLUMN_OF)

    def _place(self, part: Call, over: str, words: Mapping[str, str]) -> dict[str, Any]:
        """Return where a part belongs; 0 or an empty text along what its own function stacks."""
        own = self._plan.nodes[part.node].over
        channel = self._parts.channel(part)
        values: dict[str, Any] = {
            "s": part.key.site if "s" in own else 0,
            "t": part.key.timepoint if "t" in own else 0,
            "c": channel.name if channel is not None else "",
            "z": part.key.z_index if "z" in own else 0,
        }
        return {words[axis]: values[axis] for axis in ORDER if axis in over}
