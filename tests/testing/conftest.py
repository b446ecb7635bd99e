"""Runs tests within a test, many of them in one run and in this process."""

import itertools
import os
import shutil
from collections import defaultdict

import pytest


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
        place = item.cls or item.module
        self.classes[place.__name__] = place
        rules = self.outcomes[place.__name__]
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
    """Return a function that runs a file of tests, or a folder of them, and returns what became of them."""

    def run_file(path):
        outcomes = Outcomes(tmp_path)
        quiet = ("terminal", "cacheprovider", "xdist", "faulthandler", "hypothesispytest")
        pytest.main(
            [
                str(path),
                f"-c={os.devnull}",
                f"--rootdir={path.parents[1]}",
                "--import-mode=importlib",
                f"--confcutdir={path if path.is_dir() else path.parent}",
                "--capture=no",
                f"--basetemp={tmp_path / 'inner'}",
                *(word for plugin in quiet for word in ("-p", f"no:{plugin}")),
            ],
            plugins=[outcomes],
        )
        return outcomes

    return run_file
