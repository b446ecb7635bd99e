"""`require_library`: what is there is returned, what is not skips or fails, and says which."""

import json

import pytest

from hcs_core.testing import require_library


def test_a_library_that_is_there_is_returned(monkeypatch):
    monkeypatch.setenv("HCS_REQUIRE_LIBRARIES", "json")
    assert require_library("json") is json


@pytest.mark.parametrize("required", [None, "", "torch,jax", "no_such_library_at_all"])
def test_one_that_is_not_there_skips_with_the_reason(monkeypatch, required):
    monkeypatch.delenv("HCS_REQUIRE_LIBRARIES", raising=False)
    if required is not None:
        monkeypatch.setenv("HCS_REQUIRE_LIBRARIES", required)
    with pytest.raises(pytest.skip.Exception, match="no_such_library cannot be imported: No module named") as caught:
        require_library("no_such_library")
    assert caught.value.allow_module_level


@pytest.mark.parametrize("required", ["no_such_library", "torch, no_such_library"])
def test_one_that_must_be_there_fails(monkeypatch, required):
    monkeypatch.setenv("HCS_REQUIRE_LIBRARIES", required)
    with pytest.raises(pytest.fail.Exception, match="no_such_library cannot be imported, and HCS_REQUIRE_LIBRARIES"):
        require_library("no_such_library")
