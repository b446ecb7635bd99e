"""A run's result: a mapping from wells, shown as text and as HTML that needs nothing else."""

from html.parser import HTMLParser
from pathlib import Path

from hcs_core import Plan, RunResult, Table, WellRecord
from hcs_core.runtime.task import Fault


def result_of(*records, **more):
    plan = Plan(plate="<plate>", microscope="m", inventory_digest="d", pipeline="p & q")
    wells = {record.well: record for record in records}
    return RunResult(status="partial", output=Path("out"), plan=plan, wells=wells, seconds=1.25, **more)


OK = WellRecord(well="A01", status="ok", sites=(1, 2), seconds=0.5, peak_memory_bytes=3 * 2**20)
FAILED = WellRecord(well="A02", status="failed", fault=Fault(error="step <b>'x'</b>: no & cells"))


class Parsed(HTMLParser):
    """The tags and texts of a piece of HTML, each tag closed again."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_it_is_a_mapping_from_wells():
    result = result_of(OK, FAILED, tables={"spots": Table({})}, well_tables={"A01": {"spots": Table({"a": [1]})}})
    assert list(result) == ["A01", "A02"]
    assert "A01" in result
    assert "B07" not in result
    assert (result["A01"].status, result["A01"].seconds, result["A01"].peak_memory_bytes) == ("ok", 0.5, 3 * 2**20)
    assert result["A02"].error == "step <b>'x'</b>: no & cells"
    assert result["A01"].tables["spots"]["a"].tolist() == [1]
    assert result["A02"].tables == {}
    assert {well: found.status for well, found in result.items()} == {"A01": "ok", "A02": "failed"}


def test_its_text_says_what_became_of_each_well():
    lines = repr(result_of(OK, FAILED, tables={"spots": Table({})})).splitlines()
    assert lines[0] == "<plate>, p & q: partial, 1 of 2 wells done in 1.2 s; results in out"
    assert lines[2].split()[:2] == ["A02", "failed"]  # what went wrong comes first
    assert lines[2].endswith("step <b>'x'</b>: no & cells")
    assert lines[3].split() == ["A01", "ok", "2", "0.50", "3", "MB"]
    assert lines[4].strip() == "tables: spots"


def test_of_many_wells_some_are_shown():
    many = [WellRecord(well=f"B{number:02}", status="ok") for number in range(1, 25)]
    text = repr(result_of(*many, FAILED))
    assert "... and 1 more" in text
    assert len(text.splitlines()) == 1 + 1 + 24 + 1
    assert "... and 1 more" in result_of(*many, FAILED)._repr_html_()


def test_its_html_is_whole_escaped_and_asks_for_nothing():
    parsed = Parsed(result_of(OK, FAILED, tables={"a<b": Table({})})._repr_html_())
    assert {tag for tag, _ in parsed.tags} <= {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert {name for _, attributes in parsed.tags for name in attributes} <= {"style"}
    assert "step <b>'x'</b>: no & cells" in parsed.texts
    assert "tables: a<b" in parsed.texts
    assert any(text.startswith("<plate>, p & q: partial") for text in parsed.texts)
