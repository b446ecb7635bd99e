"""Which microscope made a folder, and what is said where none or several did."""

from types import SimpleNamespace

import pytest

from hcs_core import DetectionError, PlateError, PluginError, UnknownNameError, hookimpl, open_plate
from hcs_core.plate.detection import detect
from hcs_core.testing import make_plate


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "Plate 7"
    made.mkdir()
    (made / "plate.mark").write_text("")
    return made


def chooser(answer):
    def hcs_choose_microscope(root, candidates):
        return answer(root, candidates)

    return SimpleNamespace(hcs_api=1, hcs_choose_microscope=hookimpl(hcs_choose_microscope))


def said_by(found, *arguments):
    with pytest.raises(found) as caught:
        detect(*arguments)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert ".;" not in text
    return text


def test_no_microscope_is_installed(folder, manager):
    text = said_by(DetectionError, folder, manager())
    assert str(folder) in text
    assert "no microscope plugin is installed" in text
    assert "pip install 'hcs-engine[standard]'" in text


def test_none_matches_and_what_was_looked_for_is_said(folder, manager, microscope):
    plugins = manager(microscope("one", markers=("*.one", "sub/*.one")), microscope("two", markers=("*.two",)))
    text = said_by(DetectionError, folder, plugins)
    assert "one looks for *.one or sub/*.one" in text
    assert "two looks for *.two" in text


def test_of_many_patterns_the_first_are_said(folder, manager, microscope):
    plugins = manager(microscope("one", markers=tuple(f"*.{number}" for number in range(9))))
    assert "one looks for *.0 or *.1 or *.2 or *.3 and 5 more patterns" in said_by(DetectionError, folder, plugins)


def test_a_marker_whose_handler_refuses(folder, manager, microscope):
    text = said_by(DetectionError, folder, manager(microscope("one", recognise=lambda _root: None)))
    assert "one found its marks and nothing that it can read" in text


def test_a_marker_whose_library_is_missing(folder, manager, microscope):
    plugins = manager(microscope("one", found=False), microscope("two", markers=("*.two",)))
    text = said_by(DetectionError, folder, plugins)
    assert "one matches, but the microscope 'one'" in text
    assert "no_such_library_here" in text
    assert "two looks for *.two" in text


def test_a_faulty_one_is_in_nobodys_way(folder, manager, microscope):
    plugins = manager(microscope("one", found=False), microscope("two"))
    assert detect(folder, plugins).name == "two"


@pytest.mark.parametrize("fault", [PlateError("the index is cut off."), PermissionError(13, "Permission denied")])
def test_one_that_cannot_look_is_in_nobodys_way(folder, manager, microscope, fault):
    def raises(_root):
        raise fault

    assert detect(folder, manager(microscope("one", recognise=raises), microscope("two"))).name == "two"
    text = said_by(DetectionError, folder, manager(microscope("one", recognise=raises)))
    assert "one matches, but " in text
    assert ("cut off" in text) or ("Permission denied" in text)


def test_one_match_says_why(folder, manager, microscope):
    asked = []
    plugin = microscope("one", recognise=lambda root: asked.append(root) or "it holds plate.mark")
    found = detect(folder, manager(plugin, microscope("two", markers=("*.two",))))
    assert (found.name, found.reason) == ("one", "it holds plate.mark")
    assert type(found.handler).__name__ == "One"
    assert asked == [folder]


def test_a_handler_is_loaded_only_where_its_marker_matches(folder, manager, microscope):
    plugins = manager(microscope("one"), microscope("two", markers=("*.two",), found=False))
    assert detect(folder, plugins).name == "one"
    assert [record.error for record in plugins.records()] == [None] * 3


def test_markers_may_lie_deeper(tmp_path, manager, microscope):
    (tmp_path / "Images").mkdir()
    (tmp_path / "Images" / "Index.idx.xml").write_text("")
    assert detect(tmp_path, manager(microscope("one", markers=("[Ii]mages/*.xml",)))).name == "one"


def test_two_match_and_nobody_chooses(folder, manager, microscope):
    plugins = manager(
        microscope("one", recognise=lambda _root: "it has an HTD"),
        microscope("two", recognise=lambda _root: "an index"),
    )
    text = said_by(DetectionError, folder, plugins)
    assert "one (it has an HTD)" in text
    assert "two (an index)" in text
    assert "--microscope NAME" in text
    assert "microscope=" in text


def test_two_match_and_the_program_chooses(folder, manager, microscope):
    asked = []

    def second(root, candidates):
        asked.append((root, candidates))
        return candidates[1]

    plugins = manager(microscope("one"), microscope("two"), chooser(second))
    assert detect(folder, plugins).name == "two"
    assert asked == [(folder, ("one", "two"))]


def test_the_program_is_not_asked_where_one_matches(folder, manager, microscope):
    plugins = manager(microscope("one"), chooser(lambda _root, _candidates: pytest.fail("was asked")))
    assert detect(folder, plugins).name == "one"


@pytest.mark.parametrize("answer", [None, "three"])
def test_a_choice_that_is_none_leaves_the_error(folder, manager, microscope, answer):
    plugins = manager(microscope("one"), microscope("two"), chooser(lambda _root, _candidates: answer))
    assert "several microscopes" in said_by(DetectionError, folder, plugins)


def test_the_one_that_was_asked_for_is_not_asked_back(folder, manager, microscope):
    plugins = manager(microscope("one"), microscope("two", markers=("*.two",), recognise=lambda _root: None))
    found = detect(folder, plugins, "two")
    assert (found.name, found.reason) == ("two", "it was asked for by name")


def test_a_name_that_nobody_has(folder, manager, microscope):
    text = said_by(UnknownNameError, folder, manager(microscope("imagexpress")), "imagexpres")
    assert "Did you mean 'imagexpress'?" in text


def test_the_one_that_was_asked_for_cannot_be_loaded(folder, manager, microscope):
    with pytest.raises(PluginError, match="no_such_library_here"):
        detect(folder, manager(microscope("one", found=False)), "one")


@pytest.mark.parametrize("name", ["auto", "one"])
def test_folders_that_are_none(tmp_path, manager, microscope, name):
    plugins = manager(microscope("one"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    assert "is empty: give the folder" in said_by(PlateError, tmp_path / "empty", plugins, name)
    assert "is a file: give the folder" in said_by(PlateError, tmp_path / "file", plugins, name)
    assert "does not exist: give the folder" in said_by(PlateError, tmp_path / "absent", plugins, name)


def test_a_folder_that_cannot_be_listed(folder, manager, microscope, monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", refuse)
    assert "cannot be listed (PermissionError" in said_by(PlateError, folder, manager(microscope("one")))


def test_nothing_is_written(folder, manager, microscope):
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    detect(folder, manager(microscope("one")))
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before


def test_open_plate_takes_a_text(folder, manager):
    with pytest.raises(DetectionError, match="no microscope plugin is installed"):
        open_plate(str(folder), plugins=manager())


# --- Microscopes that are faulty --------------------------------------------------------------------------------


def raises(*_arguments):
    raise ValueError("no\nidea")


FAULT = "of plugin 'plugin_0' raises ValueError: no idea {}: mend it where the program registers it"


@pytest.mark.parametrize(
    ("faulty", "where"),
    [({"__init__": raises}, "when it is made"), ({"recognise": raises}, "in recognise")],
)
def test_a_microscope_that_raises_is_named_and_the_others_are_asked(folder, manager, microscope, faulty, where):
    plugins = manager(microscope("one", **faulty), microscope("two"))
    assert detect(folder, plugins).name == "two"
    assert plugins.records()[1].error == f"the microscope 'one' {FAULT.format(where)}."
    text = said_by(DetectionError, folder, manager(microscope("one", **faulty)))
    assert f"one matches, but the microscope 'one' {FAULT.format(where)}" in text


def test_a_microscope_that_was_asked_for_and_raises(folder, manager, microscope):
    plugins = manager(microscope("one", __init__=raises))
    text = said_by(PluginError, folder, plugins, "one")
    assert text == f"the microscope 'one' {FAULT.format('when it is made')}."


def test_a_microscope_that_exits_is_a_fault_like_any_other(folder, manager, microscope):
    def leave(_root):
        raise SystemExit(3)

    assert "SystemExit: 3 in recognise" in said_by(
        DetectionError, folder, manager(microscope("one", recognise=leave))
    )


def test_a_folder_that_cannot_be_read_is_not_the_microscope_s_fault(folder, manager, microscope):
    def refuse(_root):
        raise PermissionError(13, "Permission denied", "index.xml")

    plugins = manager(microscope("one", recognise=refuse))
    assert "one matches, but PermissionError" in said_by(DetectionError, folder, plugins)
    assert [record.status for record in plugins.records()] == ["ok", "ok"]


@pytest.mark.parametrize("asked", ["auto", "one"])
def test_an_inventory_that_cannot_be_made(folder, manager, microscope, asked):
    plugins = manager(microscope("one", build_inventory=lambda _self, _root: raises()))
    with pytest.raises(PluginError) as caught:
        open_plate(folder, plugins=plugins, microscope=asked)
    assert str(caught.value) == f"the microscope 'one' {FAULT.format('in build_inventory')}."
    assert plugins.records()[1].status == "failed"


def test_a_plate_that_cannot_be_listed(folder, manager, microscope):
    def refuse(_self, root):
        raise PermissionError(13, "Permission denied", str(root / "TimePoint_1"))

    with pytest.raises(PlateError) as caught:
        open_plate(folder, plugins=manager(microscope("one", build_inventory=refuse)))
    assert str(caught.value).startswith(f"{folder} cannot be listed (PermissionError: [Errno 13] Permission denied")
    assert "\n" not in str(caught.value)


def test_a_header_that_the_microscope_cannot_parse(folder, manager, microscope, reader):
    plate = make_plate(root=folder)
    handler = {"build_inventory": lambda _self, _root: plate, "parse_header": lambda _self, _text: raises()}
    plugins = manager(microscope("one", **handler), reader())
    with pytest.raises(PluginError, match="raises ValueError: no idea in parse_header"):
        open_plate(folder, plugins=plugins)
