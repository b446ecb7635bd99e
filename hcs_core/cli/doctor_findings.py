"""What `hcs doctor` looks at, and what it finds to do."""

from __future__ import annotations

import importlib.metadata
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from hcs_core.cli.doctor_costs import CostFindings, look_at_costs
from hcs_core.cli.memory_type_states import NOT_INSTALLED, READY, MemoryTypeState, memory_type_states
from hcs_core.compiler.machine import Machine, this_machine
from hcs_core.errors import HcsError, one_line
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.records import PluginRecord, PluginStatus

LEAST_FREE_BYTES = 2**30
"""With less, hardly any run comes to its end."""

NEEDED = ("microscopes", "readers", "storage_backends", "memory_types", "kernels")
"""The kinds without which nothing can be run."""

_PACKAGE = "hcs_core"
_ENGINE = "hcs-engine"


@attrs.frozen(kw_only=True)
class Trouble:
    """Something that needs doing: what was found, and what to do."""

    what: str
    advice: str


@attrs.frozen(kw_only=True)
class Codec:
    """A codec of a reader or a storage backend; `why_not` is empty where it works."""

    of: str
    name: str
    why_not: str = ""


@attrs.frozen(kw_only=True)
class Findings:
    """Everything that was looked at; `symlinks` is why none can be made in the folder, empty where they work."""

    python: str
    system: str
    plugins: tuple[PluginRecord, ...]
    memory_types: tuple[MemoryTypeState, ...]
    machine: Machine
    folder: Path
    symlinks: str
    codecs: tuple[Codec, ...]
    costs: CostFindings
    namesakes: tuple[str, ...]
    troubles: tuple[Trouble, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what `hcs doctor --json` prints."""
        return {
            "python": self.python,
            "system": self.system,
            "versions": {record.distribution: record.version for record in self.plugins if record.distribution},
            "plugins": [record.to_json() for record in self.plugins],
            "memory_types": [attrs.asdict(item) for item in self.memory_types],
            "devices": list(dict.fromkeys(name for item in self.memory_types for name in item.devices)),
            "costs": self.costs.to_json(),
            "cores": self.machine.cores,
            "memory_bytes": self.machine.memory_bytes,
            "disk": {
                "folder": str(self.folder),
                "free_bytes": self.machine.free_disk_bytes,
                "symlinks": not self.symlinks,
            },
            "codecs": [
                {"of": item.of, "codec": item.name, "works": not item.why_not, "why_not": item.why_not}
                for item in self.codecs
            ],
            "other_distributions": list(self.namesakes),
            "troubles": [attrs.asdict(trouble) for trouble in self.troubles],
        }


def examine(plugins: PluginManager, folder: Path) -> Findings:
    """Look at plugins, memory types, the machine, a folder and codecs; every target of every plugin is imported."""
    for record in plugins.records():
        if record.status is PluginStatus.OK:
            plugins.check(record.name)
    memory_types = tuple(memory_type_states(plugins).values())
    costs = look_at_costs()
    codecs = tuple(_codecs(plugins))
    # Asked last: what was found faulty until now is in the records.
    records = plugins.records()
    machine, namesakes = this_machine(folder), other_distributions()
    troubles = (
        *_namesake_troubles(namesakes),
        *_plugin_troubles(records),
        *_lacking(plugins),
        *_memory_troubles(plugins, memory_types),
        *_cost_troubles(costs),
        *(
            Trouble(what=f"{item.of} cannot use the codec {item.name!r} ({item.why_not}).", advice=_REINSTALL)
            for item in codecs
            if item.why_not
        ),
        *_disk_troubles(machine, folder),
    )
    return Findings(
        python=platform.python_version(),
        system=platform.platform(),
        plugins=records,
        memory_types=memory_types,
        machine=machine,
        folder=folder,
        symlinks=why_no_symlinks(folder),
        codecs=codecs,
        costs=costs,
        namesakes=namesakes,
        troubles=troubles,
    )


def other_distributions() -> tuple[str, ...]:
    """Return what else is installed that imports as `hcs_core`."""
    names = importlib.metadata.packages_distributions().get(_PACKAGE, [])
    return tuple(sorted(set(names) - {_ENGINE}))


def why_no_symlinks(folder: Path) -> str:
    """Return why no symlink can be made in a folder; empty where one can."""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".hcs-doctor-") as made:
            link = Path(made) / "link"
            link.symlink_to(folder, target_is_directory=True)
            link.unlink()
    except (OSError, NotImplementedError) as error:
        return one_line(error)
    return ""


def _codecs(plugins: PluginManager) -> Iterator[Codec]:
    for kind, registry in plugins.registries():
        for spec in registry:
            target = getattr(spec, "codecs", "")
            if target:
                try:
                    tried: Callable[[], Mapping[str, str]] = registry.load_target(spec.name, target)
                    with registry.calling(spec.name, "codecs"):
                        found = tried()
                except (HcsError, OSError):
                    continue  # The plugin's record says so.
                for name, why_not in found.items():
                    yield Codec(of=f"the {kind.singular} {spec.name!r}", name=name, why_not=why_not)


_REINSTALL = "Reinstall the libraries that it needs: pip install --force-reinstall 'hcs-engine[standard]'."


def _namesake_troubles(namesakes: tuple[str, ...]) -> Iterator[Trouble]:
    for name in namesakes:
        yield Trouble(
            what=f"the distribution {name!r} imports as {_PACKAGE!r} too: the two overwrite each other's files.",
            advice=f"pip uninstall {name}, then pip install --force-reinstall --no-deps {_ENGINE}.",
        )


def _plugin_troubles(records: tuple[PluginRecord, ...]) -> Iterator[Trouble]:
    for record in records:
        if record.status is PluginStatus.FAILED:
            yield Trouble(what=str(record.error), advice=f"`hcs plugins show {record.name} -v` shows where.")


def _lacking(plugins: PluginManager) -> Iterator[Trouble]:
    lacking = [kind.word.replace("_", " ") for kind, registry in plugins.registries() if _lacks(kind.word, registry)]
    if lacking:
        yield Trouble(
            what=f"nothing can be run: there are no {', '.join(lacking)}.",
            advice="pip install 'hcs-engine[standard]' brings the usual plugins.",
        )


def _lacks(word: str, registry: Any) -> bool:
    return word in NEEDED and not len(registry)


def _memory_troubles(plugins: PluginManager, memory_types: tuple[MemoryTypeState, ...]) -> Iterator[Trouble]:
    """Yield what nothing here can compute; a library that is not there is no trouble where others do its work."""
    ready = {item.name for item in memory_types if item.state == READY}
    wanting = [item for item in memory_types if item.state == NOT_INSTALLED]
    computed = {spec.operation for spec in plugins.kernels if spec.memory_type in ready}
    for item in wanting:
        of = [spec.operation for spec in plugins.kernels if spec.memory_type == item.name]
        lost = [operation for operation in of if operation not in computed]
        if lost:
            library = f"its library {item.library!r}" if item.library else "the memory type"
            yield Trouble(
                what=f"nothing here computes {', '.join(lost)}, which {item.name} could: {library} is not installed.",
                advice=item.get,
            )


def _cost_troubles(costs: CostFindings) -> Iterator[Trouble]:
    if costs.faulty:
        yield Trouble(
            what=f"{costs.costs.notice}: kernels are chosen as if nothing had been measured.",
            advice="`hcs doctor --measure` makes them anew; or remove the file.",
        )


def _disk_troubles(machine: Machine, folder: Path) -> Iterator[Trouble]:
    free = machine.free_disk_bytes
    if free is not None and free < LEAST_FREE_BYTES:
        yield Trouble(
            what=f"{folder} has {free:,} bytes free.",
            advice="Free space there, or write results elsewhere with -o.",
        )
