"""Every rule of every contract: an implementation that breaks it, and nothing else, fails its test, and no other."""

import inspect
from pathlib import Path

import pytest

from hcs_core.testing import (
    ConverterContract,
    KernelContract,
    MemoryTypeContract,
    MicroscopeContract,
    PassContract,
    PluginContract,
    ReaderContract,
    StitcherContract,
    StorageBackendContract,
)

BROKEN = Path(__file__).parent / "broken"
CONTRACTS = {
    "compiler_passes.py": PassContract,
    "converters.py": ConverterContract,
    "kernels.py": KernelContract,
    "memory_types.py": MemoryTypeContract,
    "microscopes.py": MicroscopeContract,
    "plugins.py": PluginContract,
    "readers.py": ReaderContract,
    "stitchers.py": StitcherContract,
    "storage_backends.py": StorageBackendContract,
}


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_breaks_one_rule_fails_exactly_its_test(run, name):
    contract = CONTRACTS[name]
    found = run(BROKEN / name)
    expected = {cls.__name__: {cls.breaks} - {None} for cls in found.classes.values()}
    assert found.failed() == expected, "\n".join(found.messages)
    assert set() in expected.values(), "one of them breaks nothing"
    rules = {rule for rule, _ in inspect.getmembers(contract, inspect.isfunction) if rule.startswith("test_")}
    assert set().union(*expected.values()) == rules
    for message in found.messages:
        assert ": " in message.partition(": ")[2], f"it says which rule, what was found and what to do: {message}"
