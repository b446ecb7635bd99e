"""docs/names.md names every public thing, under the first line of its docstring."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import re
from pathlib import Path

import pytest

import hcs_core

PAGE = (Path(__file__).parents[1] / "docs" / "names.md").read_text(encoding="utf-8")
LINES = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE))


def first_line(name):
    """Return the first line of a name's docstring; a constant's is the text after its assignment."""
    home = importlib.import_module(hcs_core._HOMES[name])
    body = ast.parse(inspect.getsource(home)).body
    for statement, text in itertools.pairwise(body):
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if [getattr(target, "id", None) for target in targets] == [name]:
            return ast.literal_eval(text.value).splitlines()[0]
    return inspect.getdoc(getattr(hcs_core, name)).splitlines()[0]


def test_the_page_has_every_public_name_once():
    assert sorted(LINES) == sorted(name for name in dir(hcs_core) if not name.startswith("_"))
    assert PAGE.count("\n| `") == len(LINES)


@pytest.mark.parametrize("name", sorted(LINES))
def test_a_name_is_described_as_its_docstring_begins(name):
    assert LINES[name] == first_line(name), "docs/names.md says of a name what its docstring says first"
