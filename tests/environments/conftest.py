"""Wheels of the workspace, and fresh environments to install them into."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

REPOSITORY = next(folder for folder in Path(__file__).parents if (folder / "hcs_core").is_dir())
PATIENCE_S = 600.0


@attrs.frozen(kw_only=True)
class Workspace:
    """The distributions of this repository: their folders by name, the engine's and the plugins'."""

    engine: Path
    plugins: dict[str, Path]

    def project(self, name: str) -> dict[str, Any]:
        """Return the table `project` of a distribution."""
        folder = self.plugins.get(name, self.engine)
        project: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return project

    def pins(self) -> list[str]:
        """Return `name==version` of every distribution, so that no namesake of an index can stand in."""
        return [f"{name}=={self.project(name)['version']}" for name in ("hcs-engine", *self.plugins)]


@attrs.frozen(kw_only=True)
class Environment:
    """A fresh virtual environment."""

    folder: Path
    uv: tuple[str, ...]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.command("python")

    def command(self, name: str) -> Path:
        """Return a program that is installed in it."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin") / name

    def install(self, *arguments: str | Path) -> None:
        """Install with the machine's own settings; a fault shows what uv said."""
        run([*self.uv, "pip", "install", "--quiet", "--python", self.python, *machine_links(), *arguments])

    def run(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run something, without what could leak into it from outside."""
        leaky = ("PYTHONPATH", "VIRTUAL_ENV", "HCS_DISABLE")
        environment = {name: value for name, value in os.environ.items() if name not in leaky}
        return subprocess.run(
            list(map(str, arguments)), capture_output=True, text=True, check=False, env={**environment, **variables}
        )


def machine_links() -> list[str]:
    """Return the folders of wheels that this machine gives to pip, for uv, which does not read pip's settings."""
    links = os.environ.get("PIP_FIND_LINKS", "").split()
    return [argument for link in links for argument in ("--find-links", link)]


def run(command: list[Any], **options: Any) -> str:
    """Run a command that has to succeed; return what it prints."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def workspace() -> Workspace:
    """Return the distributions of the workspace."""
    folders = sorted(path.parent for path in REPOSITORY.glob("plugins/*/*/pyproject.toml"))
    return Workspace(engine=REPOSITORY, plugins={folder.name: folder for folder in folders})


@pytest.fixture(scope="session")
def uv() -> tuple[str, ...]:
    """Return the command `uv`; without it the test is skipped, and fails in continuous integration."""
    program = os.environ.get("UV") or shutil.which("uv")
    if program:
        return (program,)
    if importlib.util.find_spec("uv"):
        return (sys.executable, "-m", "uv")
    reason = "uv is not installed: pip install uv"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def machine_wheels() -> list[str]:
    """Return the folders of wheels of this machine, without which torch would be the build for CUDA."""
    links = machine_links()
    if not links:
        pytest.skip("PIP_FIND_LINKS names no folder of wheels for the CPU")
    return links


@pytest.fixture(scope="session")
def archives(uv: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist and the wheel of every distribution once; return the folder that holds them."""
    folder = _shared(tmp_path_factory) / "archives"
    command = [*uv, "build", "--quiet", "--all-packages", *machine_links(), "--out-dir", folder]
    _once(folder, lambda: run(command, cwd=REPOSITORY))
    return folder


@pytest.fixture(scope="session")
def make_environment(uv: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Environment]:
    """Return a maker of empty environments of this interpreter's version."""

    def make(name: str) -> Environment:
        folder = tmp_path_factory.mktemp(name) / "venv"
        run([*uv, "venv", "--quiet", "--python", sys.executable, folder])
        return Environment(folder=folder, uv=uv)

    return make


@pytest.fixture(scope="session")
def install_by_name(
    workspace: Workspace, archives: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Environment, str], None]:
    """Return what installs a requirement from the folder of wheels, its dependencies from the machine's index."""
    pins = tmp_path_factory.mktemp("pins") / "pins.txt"
    pins.write_text("\n".join(workspace.pins()), encoding="utf-8")

    def install(environment: Environment, requirement: str) -> None:
        environment.install("--find-links", archives, "--constraint", pins, requirement)

    return install


def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of one pytest-xdist run share, or this run's own."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def _once(folder: Path, make: Callable[[], object]) -> None:
    """Let the first worker that comes make `folder`; the others wait for it."""
    lock, done, failed = (folder.with_suffix(suffix) for suffix in (".lock", ".done", ".failed"))
    try:
        lock.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + PATIENCE_S
        while not (done.exists() or failed.exists()):
            assert time.monotonic() < deadline, f"nobody finished {folder} in {PATIENCE_S:g} s"
            time.sleep(0.2)
        assert done.exists(), f"the worker that makes {folder} failed: see its test"
        return
    try:
        make()
    except BaseException:
        failed.touch()
        raise
    done.touch()
