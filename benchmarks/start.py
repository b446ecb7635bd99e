"""What starting costs: which modules `import hcs_core` and `hcs plugins` bring in, and how long commands take.

uv run python benchmarks/start.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 5
HEAVY = ("numpy", "zarr", "tifffile", "cv2", "torch", "jax", "cupy")
CASES = {
    "import hcs_core": "import hcs_core",
    "hcs --version": "import sys; sys.argv = ['hcs', '--version']\nfrom hcs_core.cli import main\nmain()",
    "hcs plugins": (
        "import sys; sys.argv = ['hcs', 'plugins']\nfrom hcs_core.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    ),
}


def modules(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has after some code, beside those that it starts with."""
    probe = "import sys; before = set(sys.modules)\n" + code
    probe += "\nprint('\\n' + ' '.join(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    out = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout
    return set(out.splitlines()[-1].split()) - set(sys.stdlib_module_names)


def seconds(code: str) -> float:
    """Return the median wall seconds of a fresh interpreter with some code."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Print a row for each case."""
    bare = seconds("pass")
    print(f"a bare interpreter: {bare:.3f} s")
    for name, code in CASES.items():
        found = sorted(modules(code))
        heavy = [module for module in found if module in HEAVY]
        print(
            f"{name}: {seconds(code) - bare:+.3f} s; imports {', '.join(found)}; heavy: {', '.join(heavy) or 'none'}"
        )


if __name__ == "__main__":
    main()
