import click

from hcs_core import PluginManager
from hcs_synthetic import plugin


def test_the_plugin_declares_the_command():
    manager = PluginManager()
    manager.register(plugin, name="synthetic")
    assert manager.commands.owner("demo").plugin == "synthetic"
    assert manager.check("synthetic") == ()
    assert isinstance(manager.commands.load("demo"), click.Command)


def test_the_public_names_are_there():
    import hcs_synthetic

    assert dir(hcs_synthetic) == [
        "Camera", "Cells", "DamagedPlane", "Effect", "Fault", "FaultKind", "SyntheticPlate", "make_plate",
    ]  # fmt: skip
    for name in dir(hcs_synthetic):
        assert getattr(hcs_synthetic, name).__name__ == name
