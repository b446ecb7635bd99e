"""The distribution keeps the contracts of hcs_core."""

from hcs_core.testing import PluginContract, StitcherContract
from hcs_stitching import plugin


class TestPlugin(PluginContract):
    module = "hcs_stitching.plugin"
    name = "stitching"


class TestStitchers(StitcherContract):
    stitchers = tuple(plugin.hcs_stitchers())
