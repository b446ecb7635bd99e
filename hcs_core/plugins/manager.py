"""The plugin manager: an ordinary object that holds what is registered, and why the rest is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcs_core.errors import PluginError
from hcs_core.plugins import builtin
from hcs_core.plugins.conflicts import conflict, rivalries
from hcs_core.plugins.events import Event
from hcs_core.plugins.kinds import KINDS, Kind, Spec
from hcs_core.plugins.libraries import usable
from hcs_core.plugins.listening import ask, tell
from hcs_core.plugins.recipe import PluginRecipe
from hcs_core.plugins.records import PluginRecord, PluginStatus, RecordBook
from hcs_core.plugins.registry import CORE, Owner, Registry
from hcs_core.plugins.specs import (
    CommandSpec,
    CompilerPassSpec,
    ConverterSpec,
    ExecutorSpec,
    KernelSpec,
    MemoryTypeSpec,
    MicroscopeSpec,
    ReaderSpec,
    StitcherSpec,
    StorageBackendSpec,
    WriterSpec,
)
from hcs_core.plugins.staging import Staged, stage

if TYPE_CHECKING:
    from hcs_core.plugins.discovery import Installed


class PluginManager:
    """What plugins provide, by kind and name; passed as an argument, never global.

    The core is registered first, then what a program registers with `register`, then what is installed
    (`discover`). Two managers in one process do not know of each other.

    Parameters
    ----------
    disabled
        Names of installed plugins that are never imported.
    strict
        Raise at the first faulty plugin, also at the first policy or listener that raises, instead of going on
        without it.

    Raises
    ------
    PluginError
        `disabled` is one text instead of names.

    Examples
    --------
    >>> from hcs_core import PluginManager
    >>> PluginManager().executors.names()
    ('local',)
    """

    def __init__(self, *, disabled: Iterable[str] = (), strict: bool = False) -> None:
        if isinstance(disabled, str):
            raise PluginError(f"disabled={disabled!r} is one text: write names, disabled=({disabled!r},).")
        self._disabled = frozenset(disabled)
        self._strict = strict
        self._discovered = False
        self._records = RecordBook()
        self._registered: dict[str, Staged] = {}
        self._refused: list[Staged] = []
        self._registries: dict[str, Registry[Any]] = {
            kind.word: Registry(kind, self._note_fault, self._absent) for kind in KINDS
        }
        self.microscopes: Registry[MicroscopeSpec] = self._registries["microscopes"]
        self.readers: Registry[ReaderSpec] = self._registries["readers"]
        self.storage_backends: Registry[StorageBackendSpec] = self._registries["storage_backends"]
        self.memory_types: Registry[MemoryTypeSpec] = self._registries["memory_types"]
        self.converters: Registry[ConverterSpec] = self._registries["converters"]
        self.kernels: Registry[KernelSpec] = self._registries["kernels"]
        self.stitchers: Registry[StitcherSpec] = self._registries["stitchers"]
        self.writers: Registry[WriterSpec] = self._registries["writers"]
        self.compiler_passes: Registry[CompilerPassSpec] = self._registries["compiler_passes"]
        self.executors: Registry[ExecutorSpec] = self._registries["executors"]
        self.commands: Registry[CommandSpec] = self._registries["commands"]
        self._commit(stage(builtin, Owner(plugin=CORE, distribution="hcs-engine"), _engine_version()))

    # --- Registration ---------------------------------------------------------------------------------------

    def register(self, plugin: Any, name: str | None = None) -> PluginRecord:
        """Register a plugin of the embedding program: a module, or an object with hooks.

        Raises
        ------
        PluginError
            It is faulty, or its name or one that it declares is taken; nothing of it is registered then.
        """
        owner = Owner(plugin=name or str(getattr(plugin, "__name__", type(plugin).__name__)))
        taken = self._taken(owner, plugin)
        if taken is not None:
            raise PluginError(taken)
        staged = stage(plugin, owner, None)
        reason = conflict(staged, self._registries)
        if reason is not None:
            raise PluginError(reason)
        return self._commit(staged)

    def recipe(self) -> PluginRecipe:
        """Return how a worker makes a manager like this one (see `from_recipe`)."""
        program = tuple(
            (name, staged.plugin)
            for name, staged in self._registered.items()
            if staged.owner.distribution is None and any(staged.specs.values())
        )
        return PluginRecipe(disabled=tuple(sorted(self._disabled)), program=program, discover=self._discovered)

    @classmethod
    def from_recipe(cls, recipe: PluginRecipe) -> PluginManager:
        """Return a manager with the plugins of the one that a recipe is of."""
        manager = cls(disabled=recipe.disabled)
        for name, plugin in recipe.program:
            manager.register(plugin, name)
        if recipe.discover:
            manager.discover()
        return manager

    def discover(self) -> None:
        """Register what is installed; what is faulty becomes a record, all others work.

        Called again, it registers what was installed since.

        Raises
        ------
        PluginError
            Only where the manager is strict.
        """
        # stevedore is imported here: a program that registers its own plugins does without.
        from hcs_core.plugins import discovery

        self._discovered = True
        found = [item for item in discovery.installed_plugins() if item.owner not in self._records]
        staged = [ready for item in self._admitted(found) if (ready := self._staged(item)) is not None]
        rivals = rivalries(staged)
        for ready in staged:
            reason = (
                rivals.get(ready.owner) or self._taken(ready.owner, ready.plugin) or conflict(ready, self._registries)
            )
            if reason is None:
                self._commit(ready)
            else:
                self._refused.append(ready)
                self._fail(ready.owner, ready.version, PluginError(reason))

    def _admitted(self, found: list[Installed]) -> Iterable[Installed]:
        """Yield what may be imported: not disabled, and alone with its name."""
        called = Counter(item.owner.plugin for item in found)
        for item in found:
            name = item.owner.plugin
            if name in self._disabled:
                self._records.note(item.owner, item.version, status=PluginStatus.DISABLED)
            elif called[name] > 1:
                rivals = " and ".join(str(other.owner.distribution) for other in found if other.owner.plugin == name)
                message = (
                    f"two installed plugins are called {name!r}, those of {rivals}: neither is used; "
                    "uninstall one of them."
                )
                self._fail(item.owner, item.version, PluginError(message))
            elif (taken := self._taken(item.owner)) is not None:
                self._fail(item.owner, item.version, PluginError(taken))
            else:
                yield item

    def _staged(self, item: Installed) -> Staged | None:
        """Import and check one installed plugin; `None` where it is faulty, and recorded so."""
        from hcs_core.plugins import discovery

        try:
            return stage(discovery.load(item), item.owner, item.version)
        except PluginError as error:
            self._fail(item.owner, item.version, error)
            return None

    def _taken(self, owner: Owner, plugin: Any = None) -> str | None:
        """Return why a name, or the plugin itself, cannot be registered once more, or `None` where it can."""
        other = self._registered.get(owner.plugin)
        if other is not None:
            return f"the name of {owner} is taken by {other.owner}: give one of them another name, or disable one."
        for staged in self._registered.values():
            if staged.plugin is plugin:
                return f"{owner} is the same module or object as {staged.owner}: register it once."
        return None

    def _commit(self, staged: Staged) -> PluginRecord:
        """Register what was staged and is in nobody's way: from here on nothing can fail."""
        self._registered[staged.owner.plugin] = staged
        for kind, spec in staged.declared():
            self._registries[kind.word].add(spec, staged.owner)
        return self._records.note(staged.owner, staged.version, provides=staged.provides())

    # --- Records --------------------------------------------------------------------------------------------

    def records(self) -> tuple[PluginRecord, ...]:
        """Return every plugin's record: the core's first, then by name."""
        return self._records.listed()

    def registries(self) -> tuple[tuple[Kind, Registry[Any]], ...]:
        """Return every kind with its registry."""
        return tuple((kind, self._registries[kind.word]) for kind in KINDS)

    def check(self, name: str) -> tuple[str, ...]:
        """Import every target that the plugin `name` declares; return what failed, a sentence each.

        A plugin that is not registered gives the reason why; nothing of it is imported. Nor are targets that need the
        library of a memory type that is not installed: that is a state of it, and no fault.

        Raises
        ------
        UnknownNameError
            No plugin has that name.
        """
        staged = self._registered.get(name)
        if staged is None:
            return self._records.why_not(name)
        faults = []
        for kind, spec in staged.declared():
            if self._lacks_a_library(spec):
                continue
            estimates = spec.signature.estimates if isinstance(spec, KernelSpec) else ()
            of_estimates = (target for estimate in estimates for target in estimate.targets)
            further = (getattr(spec, field, "") for field in ("layout_writer", "size", "codecs"))
            for target in filter(None, (spec.target, *further, *of_estimates)):
                try:
                    self._registries[kind.word].load_target(spec.name, target)
                except PluginError as error:
                    faults.append(str(error))
        return tuple(faults)

    def _lacks_a_library(self, spec: Spec) -> bool:
        """Whether a kernel or a converter is for a memory type that cannot be used here."""
        names = [spec.memory_type] if isinstance(spec, KernelSpec) else []
        names += [spec.source, spec.destination] if isinstance(spec, ConverterSpec) else []
        return any(name in self.memory_types and not usable(self.memory_types, name) for name in names)

    def _absent(self, kind: Kind, name: str) -> str:
        """Say which plugins would bring a name, or might: those that were refused or disabled."""
        declared = [item for item in self._refused if name in item.provides().get(kind.word, ())]
        if declared:
            return "".join(
                f" The {item.owner} declares it and failed: {self._records[item.owner].error}" for item in declared
            )
        out = [f"{item.name} ({item.status})" for item in self._records.out_of_use()]
        return f" Installed but not in use: {', '.join(out)}." if out else ""

    def _fail(self, owner: Owner, version: str | None, error: PluginError) -> None:
        if self._strict:
            raise error
        self._records.fail(owner, version, error)

    def _note_fault(self, owner: Owner, error: PluginError) -> None:
        self._records.fault(owner, error)
        if self._strict:
            raise error

    # --- Policies and events --------------------------------------------------------------------------------

    def choose_microscope(self, root: Path, candidates: tuple[str, ...]) -> str | None:
        """Return the microscope that a plugin chooses among several that recognise a folder, or `None`.

        Raises
        ------
        PluginError
            Two installed plugins choose.
        """
        return ask(
            "hcs_choose_microscope",
            tuple(self._registered.values()),
            self._note_fault,
            candidates,
            root=root,
            candidates=candidates,
        )

    def choose_device(self, memory_type: str, devices: tuple[str, ...]) -> str | None:
        """Return the device that a plugin chooses for a memory type, or `None`.

        Raises
        ------
        PluginError
            Two installed plugins choose.
        """
        return ask(
            "hcs_choose_device",
            tuple(self._registered.values()),
            self._note_fault,
            devices,
            memory_type=memory_type,
            devices=devices,
        )

    def emit(self, event: Event) -> None:
        """Tell every listener of an event; one that raises becomes a failed record and does not stop the run."""
        tell(event, tuple(self._registered.values()), self._note_fault)


def _engine_version() -> str:
    from hcs_core import __version__

    return __version__
