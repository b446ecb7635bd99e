"""The journal: which wells of an output are whole, and what made it. A rerun continues from it.

One JSON object a line, in `.hcs/journal.jsonl`: first what made the output, then a line for each finished well.
A torn last line is dropped, never the journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import attrs

from hcs_core.errors import StorageError
from hcs_core.runtime.task import AbsentPlane, Fallback, WellRecord

FOLDER = ".hcs"
FILE = "journal.jsonl"
VERSION = 1


@attrs.frozen(kw_only=True)
class JournalContent:
    """What a journal says: of which pipeline, the output's key and stores, and of each well that is whole.

    `wells` has the digest of each one's planes, `estimates` that of the estimates it was made with, `sites`,
    `absent` and `fallbacks` what its record had: they are for a rerun, which reads none of the files again.
    """

    pipeline: str
    content_key: str
    stores: tuple[str, ...]
    wells: Mapping[str, str]
    sites: Mapping[str, tuple[int, ...]] = attrs.field(factory=dict)
    absent: Mapping[str, tuple[AbsentPlane, ...]] = attrs.field(factory=dict)
    fallbacks: Mapping[str, tuple[Fallback, ...]] = attrs.field(factory=dict)
    estimates: Mapping[str, str] = attrs.field(factory=dict)


class Journal:
    """The journal of an output folder."""

    def __init__(self, output: Path) -> None:
        self.path = output / FOLDER / FILE

    def read(self) -> JournalContent | None:
        """Return what the journal says, or `None` where there is none (or none that was begun).

        Raises
        ------
        StorageError
            It cannot be read, or was written by a later version.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read ({error.strerror}): check its permissions.") from error
        records = [record for line in lines if (record := _parsed(line)) is not None]
        if not records or "content_key" not in records[0]:
            return None
        if records[0].get("version") != VERSION:
            raise StorageError(
                f"{self.path} is of another version of hcs-engine: update it, or choose another output folder."
            )
        noted = {record["well"]: record for record in records[1:] if {"well", "planes", "sites"} <= record.keys()}
        first = records[0]
        return JournalContent(
            pipeline=first["pipeline"],
            content_key=first["content_key"],
            stores=tuple(first["stores"]),
            wells={well: record["planes"] for well, record in noted.items()},
            sites={well: tuple(record["sites"]) for well, record in noted.items()},
            absent={
                well: tuple(AbsentPlane(**plane) for plane in record.get("absent", ()))
                for well, record in noted.items()
            },
            fallbacks={
                well: tuple(Fallback(**fallback) for fallback in record.get("fallbacks", ()))
                for well, record in noted.items()
            },
            estimates={well: record.get("estimates", "") for well, record in noted.items()},
        )

    def begin(self, pipeline: str, content_key: str, stores: Sequence[str]) -> None:
        """Start a journal afresh."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        first = {"version": VERSION, "pipeline": pipeline, "content_key": content_key, "stores": list(stores)}
        self.path.write_text(json.dumps(first) + "\n", encoding="utf-8")

    def note(self, wells: Sequence[tuple[WellRecord, str]], estimates: str = "") -> None:
        """Note wells that are whole, each with the digest of its planes, and that of what was estimated."""
        lines = []
        for record, planes_digest in wells:
            line: dict[str, Any] = {"well": record.well, "planes": planes_digest, "sites": record.sites}
            if record.absent:
                line["absent"] = [attrs.asdict(plane) for plane in record.absent]
            if record.fallbacks:
                line["fallbacks"] = [attrs.asdict(fallback) for fallback in record.fallbacks]
            if estimates:
                line["estimates"] = estimates
            lines.append(json.dumps(line) + "\n")
        with self.path.open("a+b") as file:
            # A torn line before these must not swallow the first of them.
            file.write((("" if _ends_whole(file) else "\n") + "".join(lines)).encode())


def _ends_whole(file: IO[bytes]) -> bool:
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:  # A line that was cut off in the middle.
        return None
    return record if isinstance(record, dict) else None
