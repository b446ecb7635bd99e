"""The plugin passes the contract of hcs_core."""

from hcs_core.testing import PluginContract


class TestPlugin(PluginContract):
    module = "hcs_synthetic.plugin"
    name = "synthetic"
    heavy = (*PluginContract.heavy, "click")
