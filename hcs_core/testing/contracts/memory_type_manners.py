"""What a memory type leaves alone: the process, other threads, libraries not asked for. A part of the contract."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from hcs_core.arrays.memory_type import HasDevices, MemoryType, dtype_name
from hcs_core.plugins.signature import DTYPES
from hcs_core.plugins.specs import MemoryTypeSpec
from hcs_core.testing.contracts.memory_type_calls import WIDE, MemoryTypeCalls, content, held_by, same, values

Case = tuple[MemoryTypeSpec, str]

_SCRIPT = """
import json, pkgutil, sys
sys.path[:] = json.loads(sys.argv[1])
import numpy
import hcs_core.arrays.memory_type
library, target, dtypes = sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
said = {}
memory = pkgutil.resolve_name(target)()
said["owned"] = [memory.owns(array) for array in (None, [1], numpy.zeros(2))]
said["held"] = [memory.holds(dtype) for dtype in dtypes]
said["imported"] = library in sys.modules
print(json.dumps(said))
"""


class MemoryTypeManners(MemoryTypeCalls):
    """See `MemoryTypeContract`."""

    def test_asking_imports_no_library(self, spec: MemoryTypeSpec) -> None:
        """To make one, and to ask what it owns and holds, is free: a plan that does not use it never imports it."""
        if spec.library in {"hcs_core", "numpy"}:
            pytest.skip(f"{spec.library} is there anyway")
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-c", _SCRIPT, json.dumps(sys.path), spec.library, spec.target, json.dumps(DTYPES)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"{spec.target} cannot be imported in an interpreter of its own: {done.stderr[-300:]}")
        said = json.loads(done.stdout.splitlines()[-1])
        assert not said["imported"], (
            f"making a memory type, owns and holds import no library: {spec.name} imports {spec.library}; import it "
            "in the methods that use it, and look for it in sys.modules in owns."
        )

    def test_threads_do_not_disturb_each_other(self, device: Case) -> None:
        """Wells are worked on in threads that share one."""
        memory, place = self._placed(device)
        dtypes = held_by(memory)

        def work(number: int) -> list[str]:
            found = []
            for dtype in (dtypes[number % len(dtypes) :] + dtypes) * 3:
                picture = np.full((4, 5), number % 2, dtype)
                back = content(memory, memory.stack([memory.from_host(picture, place), None]), dtype)
                if not same(back[0], np.full((4, 5), number % 2, dtype)) or back[1].any():
                    found.append(dtype)
            return found

        with ThreadPoolExecutor(8) as pool:
            wrong = [dtype for found in pool.map(work, range(8)) for dtype in found]
        assert not wrong, (
            f"threads may share a memory type: in 8 at once {device[0].name} gives something else of {wrong[0]}; "
            "keep nothing in it between calls, and change settings for the thread alone."
        )

    def test_nothing_else_in_the_process_changes(self, device: Case) -> None:
        """Neither how numpy and Python warn, nor the dtype that the library's own arrays have by default."""
        memory, place = self._placed(device)
        before = (np.geterr(), list(warnings.filters))
        for _ in _everything(memory, place, self.doubled):
            found = self._default_dtype()
            assert found == self.default_dtype, (
                f"nothing changes for others: while {device[0].name} holds 64 bits, its library makes {found} where "
                f"it makes {self.default_dtype} by default; enable 64 bits in a context around what needs them."
            )
        found = self._default_dtype()
        with ThreadPoolExecutor(1) as pool:
            elsewhere = pool.submit(self._default_dtype).result()
        changed = [name for name, now in (("numpy's errors", np.geterr()),) if now != before[0]]
        changed += ["the filters of warnings"] if list(warnings.filters) != before[1] else []
        changed += ["the library's default dtype"] if {found, elsewhere} != {self.default_dtype} else []
        assert not changed, (
            f"nothing changes for others: after its methods were called, {device[0].name} has changed "
            f"{' and '.join(changed)}; use contexts, and leave them."
        )

    def _default_dtype(self) -> str:
        return self.default_dtype if self.by_default is None else dtype_name(type(self).by_default())  # type: ignore[misc]


def _everything(memory: MemoryType, place: str, doubled: Any) -> Iterator[None]:
    """Do all that a memory type does with numbers of 64 bits, and with others after them, and pause after each."""
    for dtype in filter(memory.holds, (*WIDE, "float32", "uint16")):
        array = memory.from_host(values(dtype), place)
        yield
        for wanted in filter(memory.holds, ("uint8", "float64")):
            memory.to_host(memory.cast(array, wanted), wanted)
        memory.nonfinite(memory.stack([array, None]))
        yield
        if isinstance(memory, HasDevices):
            with memory.scope(place, dtype):
                doubled(memory.from_host(np.zeros((2, 2), dtype), place))
            memory.to_device(array, place)
            yield
