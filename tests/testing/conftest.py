"""Runs the contracts on implementations that each break one rule, all of a contract's in one pytest run."""

import itertools
import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

BROKEN = Path(__file__).parent / "broken"


class Outcomes:
    """A plugin of the inner run: what became of each rule of each class, and the texts of what failed."""

    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count()
        self.classes = {}
        self.outcomes = defaultdict(dict)
        self.messages = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        self.classes[item.cls.__name__] = item.cls
        rules = self.outcomes[item.cls.__name__]
        if report.failed or rules.get(item.originalname) != "failed":
            rules[item.originalname] = report.outcome
        if report.failed:
            self.messages.append(f"{item.nodeid}: {call.excinfo.value}")
        return report

    @pytest.fixture
    def tmp_path(self):
        """A folder that is gone afterwards: pytest's own would be kept, for each of thousands of tests."""
        folder = self.folder / str(next(self.numbers))
        folder.mkdir()
        yield folder
        shutil.rmtree(folder)

    def failed(self):
        """Return the rules that failed, by class."""
        return {
            name: {rule for rule, outcome in rules.items() if outcome == "failed"}
            for name, rules in self.outcomes.items()
        }


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the classes of a file of `broken/`, and returns what became of them."""

    def run_file(name):
        outcomes = Outcomes(tmp_path)
        quiet = ("terminal", "cacheprovider", "xdist", "faulthandler", "hypothesispytest")
        pytest.main(
            [
                str(BROKEN / name),
                f"-c={os.devnull}",
                f"--rootdir={BROKEN.parents[2]}",
                "--import-mode=importlib",
                "--noconftest",
                "--capture=no",
                f"--basetemp={tmp_path / 'inner'}",
                *(word for plugin in quiet for word in ("-p", f"no:{plugin}")),
            ],
            plugins=[outcomes],
        )
        return outcomes

    return run_file
