"""Every plugin of the workspace is a whole distribution, and none is forgotten in the root's lists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = next(folder for folder in Path(__file__).parents if (folder / "hcs_core").is_dir())
ROOT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = sorted(path.parent for path in REPOSITORY.glob("plugins/*/*/pyproject.toml"))
NOT_STANDARD = {"hcs-torch", "hcs-jax", "hcs-cupy", "hcs-dask"}
"""What needs a device, a cluster or gigabytes: installed when it is asked for."""


LIBRARIES = {"hcs-operations"}
"""What others build on, and no plugin by itself."""


def declared(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def names_of(requirements):
    return {re.match(r"[A-Za-z0-9._-]+", item)[0].lower() for item in requirements if isinstance(item, str)}


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def folder(request):
    return request.param


def test_there_are_plugins():
    assert len(FOLDERS) >= 6


def test_every_folder_of_a_plugin_is_a_distribution():
    folders = {
        path
        for path in REPOSITORY.glob("plugins/*/*")
        if path.is_dir() and not path.name.startswith((".", "__")) and any(path.rglob("*.py"))
    }
    assert folders == set(FOLDERS)


def test_the_root_knows_where_it_is(folder):
    assert ROOT["tool"]["uv"]["sources"][folder.name] == {"workspace": True}
    assert any(folder in set(REPOSITORY.glob(member)) for member in ROOT["tool"]["uv"]["workspace"]["members"])


def test_the_development_group_has_it(folder):
    assert folder.name in names_of(ROOT["dependency-groups"]["plugins"])


def test_the_extra_standard_has_the_usual_ones(folder):
    standard = names_of(ROOT["project"]["optional-dependencies"]["standard"])
    assert (folder.name in standard) is (folder.name not in NOT_STANDARD)


def test_the_core_is_forbidden_to_import_it(folder):
    contracts = ROOT["tool"]["importlinter"]["contracts"]
    (forbidden,) = (
        contract["forbidden_modules"] for contract in contracts if "The core knows no" in contract["name"]
    )
    assert folder.name.replace("-", "_") in forbidden


def test_the_lists_of_the_root_have_nothing_else():
    known = {folder.name for folder in FOLDERS}
    assert names_of(ROOT["dependency-groups"]["plugins"]) <= known
    assert names_of(ROOT["project"]["optional-dependencies"]["standard"]) <= known
    assert set(ROOT["tool"]["uv"]["sources"]) <= known | {"hcs-engine"}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE"])
def test_it_has_what_a_distribution_has(folder, name):
    assert (folder / name).read_text(encoding="utf-8").strip()


def test_it_has_tests_and_a_typed_package(folder):
    assert list((folder / "tests").glob("test_*.py"))
    package = folder / folder.name.replace("-", "_")
    assert (package / "__init__.py").is_file()
    assert (package / "py.typed").is_file()


def test_its_version_is_in_its_changelog(folder):
    project = declared(folder)["project"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert project["version"] in (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    assert folder.name in (folder / "README.md").read_text(encoding="utf-8")


def test_it_is_called_as_its_folder_and_needs_the_engine(folder):
    table = declared(folder)
    project = table["project"]
    assert project["name"] == folder.name
    assert project["license-files"] == ["LICENSE"]
    assert "hcs-engine" in names_of(project["dependencies"])
    assert project["requires-python"] == ROOT["project"]["requires-python"]
    assert table["tool"]["uv"]["sources"]["hcs-engine"] == {"workspace": True}


def test_it_has_one_line_in_the_one_group(folder):
    package = folder.name.replace("-", "_")
    if folder.name in LIBRARIES:
        assert "entry-points" not in declared(folder)["project"]
        return
    ((name, module),) = declared(folder)["project"]["entry-points"]["hcs_core"].items()
    assert module == f"{package}.plugin"
    assert folder.name == f"hcs-{name}"
    assert (folder / package / "plugin.py").is_file()


def test_its_archives_are_lists_of_what_goes_in(folder):
    targets = declared(folder)["tool"]["hatch"]["build"]["targets"]
    package = folder.name.replace("-", "_")
    assert targets["wheel"]["packages"] == [package]
    assert f"/{package}" in targets["sdist"]["include"]


def test_it_imports_of_the_core_only_what_is_public(folder):
    """From `hcs_core` itself, and in tests also from `hcs_core.testing`."""
    pattern = re.compile(r"^\s*(?:from|import)\s+(hcs_core\.[\w.]+)", re.MULTILINE)
    private = [
        (str(path.relative_to(folder)), module)
        for path in sorted((folder / folder.name.replace("-", "_")).rglob("*.py"))
        for module in pattern.findall(path.read_text(encoding="utf-8"))
    ]
    assert private == []
