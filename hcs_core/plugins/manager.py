"""The plugin manager: an ordinary object that holds what is registered, and why the rest is not."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
import pluggy

from hcs_core.errors import PluginError, one_line
from hcs_core.plugins import builtin, discovery, hookspecs
from hcs_core.plugins.events import Event, PlanCompiled, RunFinished
from hcs_core.plugins.records import PluginRecord, PluginStatus
from hcs_core.plugins.registry import Owner, Registry
from hcs_core.plugins.specs import (
    KINDS,
    CommandSpec,
    CompilerPassSpec,
    ConverterSpec,
    ExecutorSpec,
    KernelSpec,
    Kind,
    MemoryTypeSpec,
    MicroscopeSpec,
    ReaderSpec,
    StitcherSpec,
    StorageBackendSpec,
    WriterSpec,
)
from hcs_core.plugins.staging import Staged, stage

CORE = "core"


class PluginManager:
    """What plugins provide, by kind and name; passed as an argument, never global.

    The core is registered first, then what a program registers with `register`, then what is installed
    (`discover`). Two managers in one process do not know of each other.

    Parameters
    ----------
    disabled
        Names of plugins that are never imported.
    strict
        Raise at the first faulty plugin, instead of recording it.

    Examples
    --------
    >>> from hcs_core import PluginManager
    >>> PluginManager().executors.names()
    ('local',)
    """

    def __init__(self, *, disabled: Iterable[str] = (), strict: bool = False) -> None:
        self._disabled = frozenset(disabled)
        self._strict = strict
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        self._records: dict[str, PluginRecord] = {}
        self._from_program: set[str] = set()
        self._registries: dict[str, Registry[Any]] = {kind.word: Registry(kind, self._note_fault) for kind in KINDS}
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
        name = name or str(getattr(plugin, "__name__", type(plugin).__name__))
        if name in self._records:
            raise PluginError(f"a plugin {name!r} is already registered: give this one another name.")
        staged = stage(plugin, Owner(plugin=name), None)
        self._refuse_conflicts(staged)
        self._from_program.add(name)
        return self._commit(staged)

    def discover(self) -> None:
        """Register what is installed; what is faulty becomes a record, all others work.

        Raises
        ------
        PluginError
            Only where the manager is strict.
        """
        found = discovery.installed_plugins()
        staged: list[Staged] = []
        for name in dict.fromkeys(item.name for item in found):
            same = [item for item in found if item.name == name]
            if name in self._disabled:
                for item in same:
                    self._record(
                        PluginRecord(
                            name=name,
                            distribution=item.distribution,
                            version=item.version,
                            status=PluginStatus.DISABLED,
                        )
                    )
            elif len(same) > 1:
                for item in same:
                    rivals = " and ".join(str(other.distribution) for other in same)
                    self._fail(
                        item.name,
                        item.distribution,
                        item.version,
                        PluginError(
                            f"two installed plugins are called {name!r}, those of {rivals}: neither is used; "
                            "uninstall one of them."
                        ),
                    )
            elif name in self._records:
                self._fail(
                    name,
                    same[0].distribution,
                    same[0].version,
                    PluginError(
                        f"the name of the installed plugin {name!r} of {same[0].distribution} is taken by one that is "
                        "already registered: disable or rename one of them."
                    ),
                )
            else:
                staged.extend(self._stage_installed(same[0]))
        for ready in self._without_rivals(staged):
            try:
                self._refuse_conflicts(ready)
            except PluginError as error:
                self._fail(ready.owner.plugin, ready.owner.distribution, ready.version, error)
            else:
                self._commit(ready)

    def _stage_installed(self, item: discovery.Installed) -> Iterable[Staged]:
        plugin, fault = discovery.load(item)
        owner = Owner(plugin=item.name, distribution=item.distribution)
        if fault is not None:
            what = "exits" if isinstance(fault, SystemExit) else "fails"
            error = PluginError(
                f"{owner} {what} when it is imported ({one_line(fault)}): install what it needs, update "
                f"{item.distribution}, or disable it with HCS_DISABLE={item.name}."
            )
            error.__cause__ = fault
            self._fail(item.name, item.distribution, item.version, error)
            return
        try:
            yield stage(plugin, owner, item.version)
        except PluginError as error:
            self._fail(item.name, item.distribution, item.version, error)

    def _without_rivals(self, staged: list[Staged]) -> list[Staged]:
        """Fail every plugin that declares a name that another installed one declares too."""
        declared: dict[tuple[str, str], list[Staged]] = {}
        for item in staged:
            for kind, spec in item.declared():
                declared.setdefault((kind.word, spec.name), []).append(item)
        faulty: dict[str, str] = {}
        for (word, name), rivals in declared.items():
            if len(rivals) > 1:
                kind = next(kind for kind in KINDS if kind.word == word)
                both = " and ".join(str(item.owner) for item in rivals)
                for item in rivals:
                    faulty[item.owner.plugin] = (
                        f"the {kind.singular} {name!r} is declared by {both}: neither is used; disable one of them, "
                        f"for example with HCS_DISABLE={rivals[0].owner.plugin}."
                    )
        for item in staged:
            if item.owner.plugin in faulty:
                error = PluginError(faulty[item.owner.plugin])
                self._fail(item.owner.plugin, item.owner.distribution, item.version, error)
        return [item for item in staged if item.owner.plugin not in faulty]

    def _refuse_conflicts(self, staged: Staged) -> None:
        for kind, spec in staged.declared():
            registry = self._registries[kind.word]
            if spec.name in registry:
                raise PluginError(
                    f"the {kind.singular} {spec.name!r} of {staged.owner} is already declared by "
                    f"{registry.owner(spec.name)}: disable one of them."
                )
            if isinstance(spec, KernelSpec):
                self._refuse_other_signature(spec, staged)

    def _refuse_other_signature(self, spec: KernelSpec, staged: Staged) -> None:
        own = [item for _, item in staged.declared() if isinstance(item, KernelSpec)]
        for other in [*self.kernels, *own]:
            if other.operation == spec.operation and other.signature != spec.signature:
                whose = self.kernels.owner(other.name) if other.name in self.kernels else staged.owner
                differs = ", ".join(
                    field.name
                    for field in attrs.fields(type(spec.signature))
                    if getattr(spec.signature, field.name) != getattr(other.signature, field.name)
                )
                raise PluginError(
                    f"the kernel {spec.name!r} of {staged.owner} has another signature ({differs}) than "
                    f"{other.name!r} of {whose}: kernels of one operation share one signature; give it another operation's name."
                )

    def _commit(self, staged: Staged) -> PluginRecord:
        self._pluggy.register(staged.plugin, name=staged.owner.plugin)
        for kind, spec in staged.declared():
            self._registries[kind.word].add(spec, staged.owner)
        return self._record(
            PluginRecord(
                name=staged.owner.plugin,
                distribution=staged.owner.distribution,
                version=staged.version,
                provides=staged.provides(),
            )
        )

    # --- Records --------------------------------------------------------------------------------------------

    def records(self) -> tuple[PluginRecord, ...]:
        """Return every plugin's record: the core's first, then by name."""
        return tuple(sorted(self._records.values(), key=lambda item: (item.name != CORE, item.name)))

    def registries(self) -> tuple[tuple[Kind, Registry[Any]], ...]:
        """Return every kind with its registry."""
        return tuple((kind, self._registries[kind.word]) for kind in KINDS)

    def check(self, name: str) -> tuple[str, ...]:
        """Import every target that the plugin `name` declares; return what failed, a sentence each."""
        faults = []
        for kind, registry in self.registries():
            for spec in registry:
                if registry.owner(spec.name).plugin != name:
                    continue
                extra = getattr(spec, "layout_writer", "")
                for target in (spec.target, extra) if extra else (spec.target,):
                    try:
                        registry.load_target(spec.name, target)
                    except PluginError as error:
                        faults.append(str(error))
        return tuple(faults)

    def _record(self, record: PluginRecord) -> PluginRecord:
        # Two distributions may bring plugins of one name: both keep a record.
        key = record.name if record.name not in self._records else f"{record.name} ({record.distribution})"
        self._records[key] = record
        return record

    def _fail(self, name: str, distribution: str | None, version: str | None, error: PluginError) -> None:
        if self._strict:
            raise error
        trace = "".join(traceback.format_exception(error.__cause__)) if error.__cause__ else ""
        self._record(
            PluginRecord(
                name=name,
                distribution=distribution,
                version=version,
                status=PluginStatus.FAILED,
                error=str(error),
                traceback=trace,
            )
        )

    def _note_fault(self, plugin: str, text: str, error: BaseException) -> None:
        trace = "".join(traceback.format_exception(error))
        self._records[plugin] = attrs.evolve(
            self._records[plugin], status=PluginStatus.FAILED, error=text, traceback=trace
        )

    # --- Policies and events --------------------------------------------------------------------------------

    def choose_microscope(self, root: Path, candidates: tuple[str, ...]) -> str | None:
        """Return the microscope that a plugin chooses among several that recognise a folder, or `None`."""
        return self._answer("hcs_choose_microscope", root=root, candidates=candidates)

    def choose_device(self, memory_type: str, devices: tuple[str, ...]) -> str | None:
        """Return the device that a plugin chooses for a memory type, or `None`."""
        return self._answer("hcs_choose_device", memory_type=memory_type, devices=devices)

    def _answer(self, hook: str, **arguments: Any) -> str | None:
        """Ask the program's plugins, then the installed ones; two installed ones that answer are an error."""
        implementations = getattr(self._pluggy.hook, hook).get_hookimpls()
        answers: dict[str, str] = {}
        for program in (True, False):
            for item in implementations:
                if (item.plugin_name in self._from_program) is program:
                    answer = item.function(*(arguments[name] for name in item.argnames))
                    if answer is not None:
                        answers[item.plugin_name] = answer
            if program and answers:
                return next(iter(answers.values()))
        if len(answers) > 1:
            raise PluginError(
                f"the plugins {' and '.join(sorted(answers))} both answer {hook}: disable one of them, or choose "
                "with an option."
            )
        return next(iter(answers.values()), None)

    def emit(self, event: Event) -> None:
        """Tell every listener of an event; one that raises becomes a failed record and does not stop the run."""
        hooks = ["hcs_event"]
        if isinstance(event, PlanCompiled):
            hooks.append("hcs_plan_compiled")
        if isinstance(event, RunFinished):
            hooks.append("hcs_run_finished")
        for hook in hooks:
            for item in getattr(self._pluggy.hook, hook).get_hookimpls():
                try:
                    item.function(event)
                # A listener is none of the run's business: its fault is recorded.
                except Exception as error:  # noqa: BLE001
                    self._note_fault(
                        item.plugin_name,
                        (
                            f"the listener {hook} of the plugin {item.plugin_name!r} raised {one_line(error)}: report it "
                            "to its authors."
                        ),
                        error,
                    )


def _engine_version() -> str:
    from hcs_core import __version__

    return __version__
