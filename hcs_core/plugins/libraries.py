"""The libraries of memory types: whether one is there, its version, and how to get one; nothing is imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import sys

from hcs_core.plugins.registry import Registry
from hcs_core.plugins.specs import MemoryTypeSpec

PREFIX = "hcs-"
"""What the names of distributions start with that bring a memory type: `hcs-torch` brings `torch`."""


_NAME = re.compile(r"[a-z][a-z0-9_]*")


def library_is_there(library: str) -> bool:
    """Whether the module of a library can be found; it is not imported."""
    module = library.partition(".")[0]
    # What is imported is there; looking for a module takes a while.
    return module in sys.modules or importlib.util.find_spec(module) is not None


def library_version(library: str) -> str:
    """Return the version of a library, by its module's name; empty where it is not installed, or does not say."""
    module = library.partition(".")[0]
    try:
        return importlib.metadata.version(module)
    except importlib.metadata.PackageNotFoundError:
        pass
    # A distribution may be called otherwise than what it is imported as: cupy comes as cupy-cuda12x, for one.
    names = importlib.metadata.packages_distributions().get(module, [])
    return importlib.metadata.version(names[0]) if names else ""


def usable(memory_types: Registry[MemoryTypeSpec], name: str) -> bool:
    """Whether a memory type is registered and its library can be found."""
    return name in memory_types and library_is_there(memory_types.get(name).library)


def how_to_get(memory_types: Registry[MemoryTypeSpec], name: str) -> str:
    """Return what to do so that a memory type can be used, as a sentence: install its plugin, or its library."""
    if name not in memory_types:
        there = f"There are {', '.join(memory_types.names())}."
        if not _NAME.fullmatch(name):
            return there
        wanted = PREFIX + name.replace("_", "-")
        return f"{there} Others come with plugins that are called after them: pip install {wanted}."
    if memory_types.get(name).how_to_get:
        return memory_types.get(name).how_to_get
    library = memory_types.get(name).library
    distribution = memory_types.owner(name).distribution
    extras = _extras(distribution) if distribution else ()
    if not extras:
        return f"Install the library {library!r}."
    ways = " or ".join(f"pip install '{distribution}[{extra}]'" for extra in extras)
    return f"Install it with {ways}."


def _extras(distribution: str) -> tuple[str, ...]:
    """Return the extras of an installed distribution, which bring the builds of its library."""
    try:
        found = importlib.metadata.metadata(distribution).get_all("Provides-Extra")
    except importlib.metadata.PackageNotFoundError:
        return ()
    return tuple(map(str, found or ()))
