"""Which microscope made a folder: markers first, then the handlers are asked, then the policy."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import attrs

from hcs_core.errors import DetectionError, HcsError, PlateError, one_line
from hcs_core.plate.microscope import MicroscopeHandler
from hcs_core.plugins.manager import PluginManager
from hcs_core.plugins.registry import Registry
from hcs_core.plugins.specs import MicroscopeSpec

AUTO = "auto"
_MARKERS_SHOWN = 4


@attrs.frozen(kw_only=True)
class Detected:
    """The microscope of a folder, its handler, why it was chosen, and where it is registered."""

    name: str
    handler: MicroscopeHandler
    reason: str
    registry: Registry[MicroscopeSpec] | None = attrs.field(default=None, eq=False, repr=False)

    def calling(self, method: str) -> AbstractContextManager[None]:
        """Return a block in which the handler's faults become errors that say whose they are."""
        return nullcontext() if self.registry is None else self.registry.calling(self.name, method)


def detect(root: Path, plugins: PluginManager, microscope: str = AUTO) -> Detected:
    """Find the handler of a plate's folder.

    Parameters
    ----------
    root
        The folder.
    plugins
        Where the microscopes are registered.
    microscope
        A microscope's name, or `auto`.

    Raises
    ------
    DetectionError
        No microscope recognises the folder, or several do and nobody chooses.
    PlateError
        There is no such folder, or it is empty.
    UnknownNameError
        No microscope of that name is installed.
    PluginError
        The microscope that was asked for by name cannot be used.
    """
    _check_folder(root)
    if microscope != AUTO:
        return _detected(plugins, microscope, _handler(plugins, microscope), "it was asked for by name")
    looked: list[str] = []
    matches: dict[str, Detected] = {}
    for spec in plugins.microscopes:
        if not _has_marker(root, spec):
            looked.append(f"{spec.name} looks for {_some(spec.markers)}")
            continue
        try:
            handler = _handler(plugins, spec.name)
            with plugins.microscopes.calling(spec.name, "recognise"):
                reason = handler.recognise(root)
        except (HcsError, OSError) as error:
            looked.append(f"{spec.name} matches, but {one_line(error).rstrip('.')}")
            continue
        if reason is None:
            looked.append(f"{spec.name} found its marks and nothing that it can read")
        else:
            matches[spec.name] = _detected(plugins, spec.name, handler, reason)
    if not matches:
        raise _none(root, looked)
    return matches[_choose(root, matches, plugins)]


def _check_folder(root: Path) -> None:
    if not root.exists():
        raise PlateError(f"{root} does not exist: give the folder that holds the plate.")
    if not root.is_dir():
        raise PlateError(f"{root} is a file: give the folder that holds the plate.")
    try:
        empty = next(root.iterdir(), None) is None
    except OSError as error:
        raise PlateError(
            f"{root} cannot be listed ({one_line(error)}): make it readable, or give another folder."
        ) from error
    if empty:
        raise PlateError(f"{root} is empty: give the folder that holds the plate's images.")


def _some(markers: Sequence[str]) -> str:
    """Return the first markers of a microscope, and how many more there are: all of them are no sentence."""
    more = len(markers) - _MARKERS_SHOWN
    shown = " or ".join(markers[:_MARKERS_SHOWN])
    return f"{shown} and {more} more patterns" if more > 0 else shown


def _has_marker(root: Path, spec: MicroscopeSpec) -> bool:
    return any(next(root.glob(marker), None) is not None for marker in spec.markers)


def _handler(plugins: PluginManager, name: str) -> MicroscopeHandler:
    handler: MicroscopeHandler = plugins.microscopes.make(name)
    return handler


def _detected(plugins: PluginManager, name: str, handler: MicroscopeHandler, reason: str) -> Detected:
    return Detected(name=name, handler=handler, reason=reason, registry=plugins.microscopes)


def _choose(root: Path, matches: dict[str, Detected], plugins: PluginManager) -> str:
    if len(matches) == 1:
        return next(iter(matches))
    chosen = plugins.choose_microscope(root, tuple(matches))
    if chosen in matches:
        return str(chosen)
    reasons = "; ".join(f"{name} ({found.reason})" for name, found in matches.items())
    raise DetectionError(
        f"{root} looks like a plate of several microscopes: {reasons}. Say which with --microscope NAME, or with "
        "microscope= in the configuration."
    )


def _none(root: Path, looked: list[str]) -> DetectionError:
    if not looked:
        return DetectionError(
            f"{root} cannot be read: no microscope plugin is installed. Install the usual ones with "
            "pip install 'hcs-engine[standard]'."
        )
    return DetectionError(
        f"{root} is not a plate of any installed microscope: {'; '.join(looked)}. Give the folder that holds the "
        "plate, or install the plugin of its microscope."
    )
