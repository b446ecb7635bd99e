"""`MicroscopeContract`: what every microscope has to pass."""

from __future__ import annotations

from hcs_core.testing.contracts.microscope_folders import FolderRules
from hcs_core.testing.contracts.microscope_inventory import InventoryRules
from hcs_core.testing.contracts.microscope_names import NameRules


class MicroscopeContract(FolderRules, InventoryRules, NameRules):
    """What every microscope has to pass: it knows its plates, says what is there, and leaves everything as it was.

    Attributes
    ----------
    microscope
        What the plugin declares.

    Notes
    -----
    `plate_folder` is yours to write: a fixture that returns the folder of a small plate in the microscope's layout,
    best with several wells, sites, channels, z_indexes and timepoints. The files may be empty where the layout asks
    nothing of them: no image is opened. The rules that change something work on a copy.

    Examples
    --------
    ::

        class TestOpera(MicroscopeContract):
            microscope = next(iter(plugin.hcs_microscopes()))

            @pytest.fixture
            def plate_folder(self):
                return Path(__file__).parent / "data" / "small_plate"
    """
