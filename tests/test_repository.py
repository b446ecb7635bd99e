"""What the repository promises a stranger: a README that runs, constraints without addresses, no lost page."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from hcs_core import PluginManager

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language, text=README):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_the_python_of_the_readme_runs_as_it_stands(make_plate, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "PLATE").symlink_to(make_plate())
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - that is what is tested
    assert names["result"].status == "ok"
    assert (tmp_path / "PLATE_outputs" / "images.zarr" / "zarr.json").is_file()


def test_the_pipeline_of_the_readme_loads(tmp_path):
    from hcs_core import Pipeline

    (block,) = blocks("yaml")
    (tmp_path / "pipeline.yaml").write_text(block)
    names = [step.name for step in Pipeline.load(tmp_path / "pipeline.yaml").steps]
    assert names == ["max_projection", "gaussian_blur", "white_tophat_percentile_normalize"]


def test_the_examples_of_the_pages_for_users_are_read_and_compiled(tmp_path, installed):
    from hcs_core import GlobalPipelineConfig, Pipeline, Step, compile_plan
    from hcs_core.pipeline.config_file import load_config
    from hcs_core.testing.plates import make_plate as plate_without_files

    pages = ("pipelines", "measuring", "stitching", "estimates", "missing", "configuration", "results")
    page = "\n".join((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in pages)
    shown = blocks("yaml", page)
    first, *others = [block for block in shown if block.startswith("hcs: 1")]
    (config_text,) = [block for block in shown if block.startswith("num_workers:")]
    (tmp_path / "pipeline.yaml").write_text(first)
    (tmp_path / "config.yaml").write_text(config_text)
    pipeline = Pipeline.load(tmp_path / "pipeline.yaml")
    assert [step.name for step in pipeline.steps if step.save] == ["wide"]
    config = load_config(tmp_path / "config.yaml")
    assert config.zarr == GlobalPipelineConfig().zarr
    names: dict[str, object] = {}
    for block in blocks("python", page):
        if "@step_function" in block:
            exec(compile(block, "pipelines.md", "exec"), names)  # noqa: S102 - that is what is tested
    plate = plate_without_files(
        wells=("B02", "C05", "G11"),
        sites=(1, 2, 3, 4),
        channels=("DAPI", "GFP"),
        z_indexes=tuple(range(1, 11)),
    )
    plan = compile_plan(pipeline, plate, config, installed)
    assert plan.well_names == ("B02", "G11")
    assert [output.store for output in plan.outputs] == ["wide.zarr", "images.zarr"]
    measuring = Pipeline("p", [Step({"DAPI": names["segment"]}), Step(names["measure"])])
    artifacts = compile_plan(measuring, plate, config, installed).artifacts
    assert [(made.name, made.kind) for made in artifacts] == [
        ("nuclei", "image"),
        ("spots", "table"),
        ("light", "json"),
    ]
    for number, text in enumerate(others):
        (tmp_path / f"{number}.yaml").write_text(text)
        whole = plate_without_files(wells=("A01", "A02", "A03", "B01"), z_indexes=(1, 2))
        assert compile_plan(Pipeline.load(tmp_path / f"{number}.yaml"), whole, config, installed).outputs


def test_every_page_is_in_the_index_and_no_link_between_pages_is_dead():
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    for page in sorted(docs.glob("*.md")):
        if page.name != "README.md":
            assert f"]({page.name})" in index
            assert f"](docs/{page.name})" in README
    for page in (ROOT / "README.md", *docs.glob("*.md")):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for link, anchor in re.findall(r"\]\((?!http)([^)#\s]*)#?([^)\s]*)\)", text):
            found = page.parent / link if link else page
            assert found.exists(), f"{page.name}: {link}"
            if anchor:
                heads = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), flags=re.MULTILINE)
                anchors = {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}
                assert anchor in anchors, f"{page.name}: {link}#{anchor}"


def test_every_command_of_the_readme_exists(installed: PluginManager):
    used = {match for block in blocks("sh") for match in re.findall(r"\bhcs ([a-z]+)", block)}
    assert used
    assert used <= set(installed.commands.names())


def test_type_checkers_and_the_running_program_see_the_same_public_names():
    import ast

    import hcs_core

    tree = ast.parse((ROOT / "hcs_core" / "__init__.py").read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {(item.module, name.asname) for item in checked.body for name in item.names}
    assert seen == {(module, name) for name, module in hcs_core._HOMES.items()}
    for name in dir(hcs_core):
        assert getattr(hcs_core, name) is not None


def test_every_page_that_is_linked_is_there():
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.relative_to(ROOT)} links {link}"


def test_the_pictures_of_the_documents_are_small():
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    assert pictures
    assert all(path.stat().st_size < 150_000 for path in pictures)


def test_every_distribution_of_the_workspace_is_in_the_readme():
    for folder in sorted((ROOT / "plugins").glob("*/*")):
        assert f"`{folder.name}`" in README


def test_the_constraints_name_every_dependency_and_no_address():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, flags=re.MULTILINE)
    pinned = set(re.findall(r"^([A-Za-z0-9._-]+)==", text, flags=re.MULTILINE))
    for file in (ROOT / "pyproject.toml", *ROOT.glob("plugins/*/*/pyproject.toml")):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        for line in project["dependencies"]:
            name = re.match(r"[A-Za-z0-9._-]+", line)[0].lower()
            assert name.startswith("hcs-") or name in pinned, f"{name} of {file.relative_to(ROOT)}"


def test_nothing_that_belongs_to_a_machine_is_committed():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    files = listed.stdout.splitlines()
    assert "uv.lock" not in files
    for name in files:
        path = ROOT / name
        if path.suffix in {".py", ".toml", ".md", ".txt", ".yaml"} or name == ".ci/run":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"index[-]url|[:]//\S+/simple\b|[\"' ]/(work|root|home)/", text), name


def test_the_example_of_the_page_on_services_runs(make_plate, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_plate().rename(tmp_path / "PLATE")
    (example,) = blocks("python", (ROOT / "docs" / "services.md").read_text(encoding="utf-8"))
    exec(compile(example, "services.md", "exec"), {})  # noqa: S102 - that is what is tested
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("ParsedName(well='A01', site=1, channel=1")
    assert said[1] == "plate_A01_s2_w1.TIF"
    assert "TimePoint_1/ZStep_1/plate_A01_s{iii}_w1.TIF" in said[2]
    made = sorted(path.name for path in (tmp_path / "PLATE_outputs" / "mosaics").iterdir())
    assert made == [f"{well}_stitched_w{c}_z{z}_t1.tif" for well in ("A01", "B03") for c in (1, 2) for z in (1, 2)]
