"""Files that are there whole or not at all."""

from __future__ import annotations

import pytest

from hcs_core import StorageError
from hcs_core.runtime.whole_files import whole_file, write_whole


def test_what_is_there_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")
    with whole_file(path) as unfinished:
        unfinished.write_text("ne")
        assert path.read_text() == "old"
        assert unfinished.suffix == ".csv"
        unfinished.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def _fail_half_way(path, error):
    path.write_text("half")
    raise error


@pytest.mark.parametrize("error", [ValueError("no table"), KeyboardInterrupt()])
def test_a_block_that_raises_leaves_nothing(tmp_path, error):
    path = tmp_path / "table.csv"
    with pytest.raises(type(error)), whole_file(path) as unfinished:
        _fail_half_way(unfinished, error)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_told_by_its_own_name(tmp_path):
    (tmp_path / "results").write_text("a file, no folder")
    with pytest.raises(StorageError, match=r"results/wells\.csv cannot be written \(.+\): free space"):
        write_whole(tmp_path / "results" / "wells.csv", "text")


def test_line_ends_stay_as_they_are(tmp_path):
    write_whole(tmp_path / "new" / "rows.csv", "a\r\nä\n")
    assert (tmp_path / "new" / "rows.csv").read_bytes() == b"a\r\n\xc3\xa4\n"
