import json
from types import SimpleNamespace

import attrs
import pytest
from click.testing import CliRunner

import hcs_core
from hcs_core import PlateError, PluginManager
from hcs_synthetic import demo

SMALL = attrs.evolve(demo.PLATE, image_shape=(48, 48), wells=("B02", "G11"), cells_per_field=2)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(demo, "PLATE", SMALL)


@pytest.fixture
def ran(monkeypatch):
    """Stands in for the engine: notes what it is given, and says that all went well, or what the test sets."""
    told = SimpleNamespace(calls=[], status="ok")

    def run(plate, pipeline_file, plugins):
        told.calls.append((plate, pipeline_file, plugins))
        return told.status, plate.parent / f"{plate.name}_outputs"

    monkeypatch.setattr(demo, "_run", run)
    return told


def invoke(folder, plugins, *options):
    return CliRunner().invoke(demo.command, ["-o", str(folder), *options], obj=SimpleNamespace(plugins=plugins))


def test_it_says_where_everything_is_and_what_to_type_next(tmp_path, imagexpress, ran):
    folder = tmp_path / "a folder"
    done = invoke(folder, imagexpress)
    assert done.exit_code == 0, done.output
    plate = folder / "demo_plate"
    assert ran.calls == [(plate, folder / "pipeline.yaml", imagexpress)]
    assert len(list(plate.glob("*.npy"))) == 2 * 4 * 2 * 3
    assert f"hcs inspect '{plate}'" in done.output
    assert f"hcs run '{plate}' '{folder / 'pipeline.yaml'}'" in done.output
    assert str(folder / "demo_plate_outputs" / "images.zarr") in done.output
    assert "48 images" in done.output
    assert "no picture of it: pip install hcs-report" in done.output


def test_json_is_one_document(tmp_path, imagexpress, ran):
    done = invoke(tmp_path, imagexpress, "--json")
    assert json.loads(done.output) == {
        "status": "ok",
        "plate": str(tmp_path / "demo_plate"),
        "picture": None,
        "pipeline": str(tmp_path / "pipeline.yaml"),
        "output": str(tmp_path / "demo_plate_outputs"),
    }


@pytest.mark.parametrize(("status", "code"), [("partial", 3), ("failed", 1)])
def test_a_run_that_does_not_end_well_is_told(tmp_path, imagexpress, ran, status, code):
    ran.status = status
    done = invoke(tmp_path, imagexpress)
    assert done.exit_code == code
    assert f"'{status}'" in done.output
    assert "failed.csv" in done.output
    assert "Done." not in done.output


def test_an_interrupted_run_says_how_to_go_on(tmp_path, imagexpress, ran):
    ran.status = "interrupted"
    done = invoke(tmp_path, imagexpress)
    assert done.exit_code == 130
    assert "`hcs demo` again" in done.output


def test_the_plate_is_made_once(tmp_path, imagexpress, ran):
    first = demo.demo_plate(tmp_path, imagexpress)
    written = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert demo.demo_plate(tmp_path, imagexpress) == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == written


def test_a_plate_that_was_taken_away_is_made_again(tmp_path, imagexpress):
    first = demo.demo_plate(tmp_path, imagexpress)
    first.rename(tmp_path / "elsewhere")
    assert demo.demo_plate(tmp_path, imagexpress) == first
    assert first.is_dir()


def test_a_plate_of_another_description_is_not_used(tmp_path, imagexpress, monkeypatch):
    demo.demo_plate(tmp_path, imagexpress)
    monkeypatch.setattr(demo, "PLATE", attrs.evolve(SMALL, seed=99))
    with pytest.raises(PlateError, match="of another version: remove the folder, or choose another with -o"):
        demo.demo_plate(tmp_path, imagexpress)


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_broken_record_is_not_believed(tmp_path, imagexpress, text):
    demo.demo_plate(tmp_path, imagexpress)
    (tmp_path / demo.RECORD).write_text(text, encoding="utf-8")
    with pytest.raises(PlateError, match="of another version"):
        demo.demo_plate(tmp_path, imagexpress)


def test_a_plate_that_was_cut_short_is_not_used(tmp_path, imagexpress):
    (tmp_path / "demo_plate").mkdir()
    with pytest.raises(PlateError, match="was not made whole"):
        demo.demo_plate(tmp_path, imagexpress)


def test_a_command_without_a_manager_finds_what_is_installed(tmp_path, ran, monkeypatch):
    asked = []

    def discover(manager):
        asked.append(manager)

    monkeypatch.setattr(PluginManager, "discover", discover)
    done = CliRunner().invoke(demo.command, ["-o", str(tmp_path)])
    assert len(asked) == 1
    # Nothing is installed in this manager, and the error says so.
    assert "no microscope is called 'imagexpress'" in str(done.exception)


def test_the_whole_demonstration(tmp_path):
    """With the engine and the standard plugins: a plate, a picture, a pipeline file that loads, an OME-Zarr plate."""
    plugins = PluginManager()
    plugins.discover()
    for registry, name in (
        (plugins.microscopes, "imagexpress"),
        (plugins.storage_backends, "zarr"),
        (plugins.kernels, "white_tophat/numpy"),
        (plugins.writers, "plate_picture"),
    ):
        if name not in registry:
            pytest.skip(f"no plugin with {name!r} is installed: hcs-engine[standard] has it")
    done = invoke(tmp_path, plugins, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert said["status"] == "ok"
    assert said["output"] == str(tmp_path / "demo_plate_outputs")
    assert said["picture"] == str(tmp_path / "demo_plate.png")
    assert (tmp_path / "demo_plate.png").read_bytes().startswith(b"\x89PNG")
    pipeline = hcs_core.Pipeline.load(said["pipeline"])
    assert [step.name for step in pipeline.steps] == [
        "max_projection", "gaussian_blur", "white_tophat", "percentile_normalize",
    ]  # fmt: skip
    assert (tmp_path / "demo_plate_outputs" / "images.zarr" / "zarr.json").is_file()
