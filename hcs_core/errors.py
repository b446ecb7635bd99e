"""Every error that hcs_core raises on purpose: one base class, one class per thing that a caller may catch.

The text of each is written for the person who reads it: what was found, where, and what to do.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class HcsError(Exception):
    """The base of every error that hcs_core raises on purpose."""


class PluginError(HcsError):
    """A plugin, a spec or a target that cannot be used; the text names the plugin and its distribution."""


class UnknownNameError(HcsError):
    """A name that no registered plugin declares; the text says what is there and what to install."""


class PlateError(HcsError):
    """A folder that cannot be read as a plate."""


class DetectionError(PlateError):
    """No microscope, or more than one, recognises a folder."""


class ReadError(HcsError):
    """A file whose pixels or header cannot be read; the text starts with its path."""


class ConfigError(HcsError):
    """A wrong value in a configuration, or a configuration file that cannot be read."""


class PipelineError(HcsError):
    """A pipeline, or a pipeline file, that does not say what it must; file and line are in the text."""


class CompileError(HcsError):
    """A plan that cannot be made; the text lists every problem that was found, not only the first."""


class StorageError(HcsError):
    """A place that cannot be written or read as the plan says."""


class RunError(HcsError):
    """A run that cannot start, or that cannot go on."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` (with its leading space) for the nearest known name, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def one_line(error: BaseException) -> str:
    """Return an error's text on one line, led by its class's name unless the error is one of ours."""
    text = " ".join(str(error).split())
    if isinstance(error, HcsError):
        return text
    name = type(error).__name__
    return f"{name}: {text}" if text else name
