"""Where the HTD file, the names and the folders of a plate contradict each other, a sentence each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from hcs_core import parse_well
from hcs_imagexpress.htd import HtdPlan
from hcs_imagexpress.names import acquisition_order
from hcs_imagexpress.planes import Files, Repeated

_MOST_NAMES = 24


def of_plan(plan: HtdPlan, files: Files) -> tuple[str, ...]:
    """Compare what the HTD declares with the files, kind by kind.

    An HTD that is cut off may have declared more: then only what it declares beyond the files is a difference.
    """
    sentences = []
    if not plan.whole:
        sentences.append(f"{plan.name} is cut off (it has no EndFile): what it says up to there is used.")
    kinds: tuple[
        tuple[str, Iterable[str | int] | None, Iterable[str | int], Callable[[list[str | int]], str]], ...
    ] = (
        ("well", plan.wells or None, files.wells, _wells),
        ("site", plan.site_grid or None, files.sites, _numbers),
        ("channel", plan.channels, files.channels, _numbers),
        ("z-step", plan.z_indexes, files.z_indexes, _z_indexes),
        ("timepoint", plan.timepoints, files.timepoints, _numbers),
    )
    for word, declared, found, text in kinds:
        if declared is None:
            continue
        without_file = [*{*declared} - {*found}]
        beyond = [*{*found} - {*declared}] if plan.whole else []
        if without_file:
            what = _counted(word, without_file, text)
            sentences.append(f"{plan.name} declares {what}, and no file has {_them(without_file)}.")
        if beyond:
            sentences.append(
                f"There are files of {_counted(word, beyond, text)}, which {plan.name} does not declare."
            )
    return tuple(sentences)


def of_repeated(repeated: Repeated) -> tuple[str, ...]:
    """Say which files are second ones of a plane."""
    if not repeated:
        return ()
    pairs = _names([f"{', '.join(others)} (kept: {kept})" for kept, others in repeated])
    kept = "that of the newest acquisition is kept, then the first by name"
    return (f"Several files are of one plane; {kept}; duplicates: {pairs}.",)


def of_acquisitions(folders: Collection[str]) -> tuple[str, ...]:
    """Say that a plate is put together of several acquisitions."""
    if len(folders) < 2:  # noqa: PLR2004 - one is no several
        return ()
    ordered = sorted(folders, key=acquisition_order)
    names = [folder.removesuffix("/") or "the plate's own folder" for folder in ordered]
    return (f"The images are of several acquisitions, taken together: {_names(names)}.",)


def of_other_family(count: int, of_database: bool) -> tuple[str, ...]:
    """Say how many images are of the other family than the plate."""
    if not count:
        return ()
    guid = "no GUID" if of_database else "a GUID"
    has = "images of the folder have" if count > 1 else "image of the folder has"
    return (f"{count} {has} {guid} in the name, as all of the database have; left out.",)


def of_htd_of_database(htd: str, plate: str, *, used: bool) -> str:
    """Say that an HTD file, which belongs to exports, lies beside images of the database."""
    if used:
        return f"{htd} lies beside images of the MetaXpress database: it is taken for what was planned."
    return f"{htd} lies beside images of the MetaXpress database, whose names begin with {plate}: it is not used."


def of_others(counts: Mapping[str, int], plate: str) -> tuple[str, ...]:
    """Say how many images belong to other plates by their names."""
    others = sorted(name for name in counts if name != plate)
    if not others:
        return ()
    what = _names([f"{name} ({counts[name]})" for name in others])
    return (f"The names of some images begin with another plate's name than {plate}; left out: {what}.",)


def of_links(paths: Sequence[str]) -> tuple[str, ...]:
    """Say which links lead to folders that are part of the plate anyway."""
    if not paths:
        return ()
    return (f"Links lead to folders that are listed already; left out: {_names(list(paths))}.",)


def _them(items: list[str | int]) -> str:
    return "it" if len(items) == 1 else "them"


def _counted(word: str, items: list[str | int], text: Callable[[list[str | int]], str]) -> str:
    if items == [0]:
        return "the projection"
    return f"the {word}{'s' if len(items) > 1 else ''} {text(items)}"


def _wells(items: list[str | int]) -> str:
    return _names(sorted(map(str, items), key=parse_well))


def _z_indexes(items: list[str | int]) -> str:
    steps = _numbers([item for item in items if item != 0])
    return f"{steps} and the projection" if 0 in items else steps


def _numbers(items: list[str | int]) -> str:
    """Return numbers with runs of three and more drawn together: `1, 2, 5-9`."""
    runs: list[list[int]] = []
    for number in sorted(map(int, items)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    drawn = [
        [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(number) for number in run]  # noqa: PLR2004 - see above
        for run in runs
    ]
    return _names([part for parts in drawn for part in parts])


def _names(names: list[str]) -> str:
    if len(names) <= _MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"
