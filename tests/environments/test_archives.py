"""What is in the archives: the engine's carry no plugin, and a plugin's wheel carries its package alone."""

from __future__ import annotations

import tarfile
import zipfile

import pytest

pytestmark = pytest.mark.environments


def wheel_names(archives, name):
    (wheel,) = archives.glob(f"{name.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def sdist_names(archives, name):
    """Return the paths inside the one folder that an sdist has."""
    (sdist,) = archives.glob(f"{name.replace('-', '_')}-*.tar.gz")
    with tarfile.open(sdist) as archive:
        return [path for path in (name.partition("/")[2] for name in archive.getnames()) if path]


def top_level(names):
    return {name.split("/")[0] for name in names}


def test_every_distribution_has_both_archives(archives, workspace):
    for name in ("hcs-engine", *workspace.plugins):
        assert wheel_names(archives, name)
        assert sdist_names(archives, name)


def test_the_wheel_of_the_engine_is_the_engine(archives):
    names = wheel_names(archives, "hcs-engine")
    packages = {name for name in top_level(names) if not name.endswith(".dist-info")}
    assert packages == {"hcs_core"}
    assert {"hcs_core/__init__.py", "hcs_core/py.typed", "hcs_core/plugins/hookspecs.py"} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_of_the_engine_carries_no_plugin_and_no_test(archives):
    names = sdist_names(archives, "hcs-engine")
    assert top_level(names) <= {
        "hcs_core", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO", ".gitignore",
    }  # fmt: skip
    assert "hcs_core/plugins/hookspecs.py" in names
    assert not [name for name in names if name.startswith(("plugins/", "tests/", "docs/"))]


def test_the_wheel_of_a_plugin_is_its_package_alone(archives, workspace):
    for name in workspace.plugins:
        names = wheel_names(archives, name)
        package = name.replace("-", "_")
        assert {item for item in top_level(names) if not item.endswith(".dist-info")} == {package}, name
        assert f"{package}/py.typed" in names, name
        assert not [item for item in names if "test" in item.lower().split("/")[-1]], name
        assert any(item.endswith("licenses/LICENSE") for item in names), name


def test_the_sdist_of_a_plugin_could_stand_alone(archives, workspace):
    for name in workspace.plugins:
        names = sdist_names(archives, name)
        package = name.replace("-", "_")
        assert top_level(names) <= {
            package, "benchmarks", "tests", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO",
            ".gitignore",
        }, name  # fmt: skip
        assert {f"{package}/__init__.py", f"{package}/py.typed", "README.md", "LICENSE", "CHANGELOG.md"} <= set(
            names
        ), name


def test_nothing_compiled_or_cached_is_in_an_archive(archives, workspace):
    for name in ("hcs-engine", *workspace.plugins):
        for names in (wheel_names(archives, name), sdist_names(archives, name)):
            assert not [item for item in names if "__pycache__" in item or item.endswith(".pyc")], name
