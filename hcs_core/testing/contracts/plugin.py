"""`PluginContract`: what every plugin has to pass, whatever it brings."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from types import ModuleType
from typing import Any, ClassVar

import pytest

from hcs_core.errors import PluginError, one_line
from hcs_core.plugins.discovery import GROUP, field
from hcs_core.plugins.kinds import KINDS, Spec
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.registry import PLUGIN_FAULTS
from hcs_core.plugins.staging import ACCEPTED, HCS_API
from hcs_core.testing.contracts.fresh_interpreter import HEAVY, brought_in_by
from hcs_core.testing.contracts.targets import misfit

_ENGINE = re.compile(r"hcs[-_.]engine(?![A-Za-z0-9._-])", re.IGNORECASE)


class PluginContract:
    """What every plugin has to pass: it is light, in order, whole, documented and installed.

    Attributes
    ----------
    module
        The module that the entry point names.
    name
        The entry point's key: the plugin's name.
    heavy
        Libraries that importing and listing it must not bring in.

    Examples
    --------
    In `tests/test_contract.py` of the distribution `hcs-offset`::

        from hcs_core.testing import PluginContract

        class TestPlugin(PluginContract):
            module = "hcs_offset.plugin"
            name = "offset"
    """

    module: ClassVar[str]
    name: ClassVar[str]
    heavy: ClassVar[tuple[str, ...]] = HEAVY

    @pytest.fixture
    def plugin(self) -> ModuleType:
        """The module, or a skip where it cannot be imported."""
        try:
            return importlib.import_module(self.module)
        # Whatever a plugin raises or exits with is told by the rule that it imports.
        except PLUGIN_FAULTS as error:
            pytest.skip(f"{self.module} does not import ({one_line(error)}): see test_its_module_imports")

    @pytest.fixture
    def manager(self, plugin: ModuleType) -> PluginManager:
        """A manager with the plugin, or a skip where it is refused."""
        manager = PluginManager(strict=True)
        try:
            manager.register(plugin, self.name)
        except PluginError as error:
            pytest.skip(f"it is not registered ({error}): see test_it_registers_whole")
        return manager

    def test_its_module_imports(self) -> None:
        """The module that the entry point names can be imported."""
        try:
            importlib.import_module(self.module)
        # A plugin may exit or fail an assertion on import: that is what is tested.
        except PLUGIN_FAULTS as error:
            pytest.fail(
                f"a plugin's module has to import: {self.module} raises {one_line(error)}; import what it needs "
                "in the targets instead.",
                pytrace=False,
            )

    def test_importing_and_listing_it_brings_in_nothing_heavy(self, plugin: ModuleType) -> None:
        """`hcs plugins` imports every plugin: one that brings in an array library slows every command."""
        found = brought_in_by(plugin.__name__)
        if found is None:
            pytest.skip(f"{self.module} does not import in a fresh interpreter: see test_its_module_imports")
        brought = sorted(found & set(self.heavy))
        assert not brought, (
            f"importing and listing a plugin must be light: {self.module} brings in {', '.join(brought)}; import "
            "these in the modules of the targets, which are imported on first use."
        )

    def test_it_says_for_which_hooks_it_was_written(self, plugin: ModuleType) -> None:
        """`hcs_api` is a number that this engine accepts."""
        number = getattr(plugin, "hcs_api", None)
        assert number in ACCEPTED and not isinstance(number, bool), (  # noqa: PT018 - one rule, one sentence
            f"a plugin says for which hooks it was written: {self.module} says hcs_api = {number!r}; write "
            f"hcs_api = {HCS_API}."
        )

    def test_it_registers_whole(self, plugin: ModuleType) -> None:
        """A strict manager takes it: hooks, marks, arguments, specs and names are in order."""
        if getattr(plugin, "hcs_api", None) not in ACCEPTED:
            pytest.skip("its hcs_api is not accepted: see test_it_says_for_which_hooks_it_was_written")
        try:
            PluginManager(strict=True).register(plugin, self.name)
        except PluginError as error:
            pytest.fail(f"a plugin is registered whole or not at all: {error}", pytrace=False)

    def test_it_declares_the_same_whenever_it_is_asked(self, plugin: ModuleType, manager: PluginManager) -> None:
        """Every worker asks anew: what is declared must not depend on when."""
        again = PluginManager(strict=True)
        again.register(plugin, self.name)
        assert self._specs(again) == self._specs(manager), (
            f"a declaration hook yields the same specs each time, since every worker asks it anew: {self.module} "
            "yields others the second time; let the hooks read nothing that changes."
        )

    def test_every_target_imports(self, manager: PluginManager) -> None:
        """What the specs name is there."""
        faults = manager.check(self.name)
        assert not faults, f"every target has to import, with the plugin's requirements installed: {' '.join(faults)}"

    def test_every_target_is_what_its_kind_must_be(self, manager: PluginManager) -> None:
        """A class that follows the protocol of its kind, a function, or a command."""
        if manager.check(self.name):
            pytest.skip("a target does not import: see test_every_target_imports")
        found = {f"{word} {spec.name!r}": misfit(word, spec) for word, spec in self._specs(manager)}
        wrong = [f"{what}: {why}" for what, why in found.items() if why]
        assert not wrong, f"a target is what its kind must be (docs/hooks.md): {'; '.join(wrong)}."

    def test_every_name_has_a_summary(self, manager: PluginManager) -> None:
        """`hcs plugins show` and `hcs functions` say in a line what a name is."""
        without = [spec.name for _, spec in self._specs(manager) if not spec.summary.strip() or "\n" in spec.summary]
        assert not without, f"every name has a summary of one line: give {', '.join(without)} summary='...'."

    def test_its_entry_point_is_installed(self) -> None:
        """One entry point of the group `hcs_core` has the plugin's name, and names its module."""
        found = [entry.value for entry in self._entry_points()]
        assert found == [self.module], (
            f"a distribution names its plugin in its pyproject.toml: [project.entry-points.{GROUP}] {self.name} = "
            f'"{self.module}"; found {found or "nothing"}; install it (pip install -e .), once.'
        )

    def test_its_distribution_says_its_version(self) -> None:
        """`hcs plugins` and `run.json` say which version ran."""
        for entry in self._installed():
            assert entry.dist is not None and field(entry.dist, "Version"), (  # noqa: PT018 - one rule, one sentence
                f"a plugin's distribution has a version, which run.json notes: {self.name} has none; write "
                "version = ... in its pyproject.toml and install it again."
            )

    def test_its_distribution_requires_the_engine(self) -> None:
        """Whoever installs it gets the engine that it was written for."""
        for entry in self._installed():
            required = (entry.dist.requires if entry.dist else None) or []
            assert any(_ENGINE.match(line) for line in required), (
                "a plugin's distribution requires the engine, which it is useless without: add 'hcs-engine>=0.1' to "
                f"the dependencies of {self.name}."
            )

    def _entry_points(self) -> list[importlib.metadata.EntryPoint]:
        return list(importlib.metadata.entry_points(group=GROUP, name=self.name))

    def _installed(self) -> list[importlib.metadata.EntryPoint]:
        return self._entry_points() or pytest.skip("it is not installed: see test_its_entry_point_is_installed")

    def _specs(self, manager: PluginManager) -> list[tuple[str, Any]]:
        """Return the specs that the plugin declares, each with the word of its kind."""
        registries = dict(
            zip((kind.word for kind in KINDS), (found for _, found in manager.registries()), strict=True)
        )
        specs: list[tuple[str, Spec]] = [
            (word, spec)
            for word, registry in registries.items()
            for spec in registry
            if registry.owner(spec.name).plugin == self.name
        ]
        return specs
