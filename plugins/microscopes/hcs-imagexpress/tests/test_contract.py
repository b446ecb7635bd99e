"""The microscope `imagexpress` passes the contracts of hcs_core, on made-up plates and on a real one."""

import pytest

from hcs_core.testing import MicroscopeContract, PluginContract
from hcs_imagexpress import plugin


class TestPlugin(PluginContract):
    module = "hcs_imagexpress.plugin"
    name = "imagexpress"


class TestStacks(MicroscopeContract):
    """Timepoints, z-steps, projections, a plane that is not there, one that is there in three spellings."""

    (microscope,) = plugin.hcs_microscopes()

    @pytest.fixture
    def plate_folder(self, make_plate, make_htd):
        names = [
            f"TimePoint_{t}/ZStep_{z}/P_{well}_s{site}_w{channel}"
            for t in (1, 2) for z in (0, 1) for well in ("B02", "C11") for site in (1, 2) for channel in (1, 2)
        ]  # fmt: skip
        spellings = [f"{names[-1]}.tif", f"{names[-1]}.tiff"]
        plan = make_htd(wells=("B02", "C11"), sites=((True, True),), z_steps=1, projection=True, timepoints=2)
        return make_plate(*(f"{name}.TIF" for name in names[1:]), *spellings, plan=plan)


class TestFlat(MicroscopeContract):
    """One image a well, beside the HTD, with nothing else in its name."""

    (microscope,) = plugin.hcs_microscopes()

    @pytest.fixture
    def plate_folder(self, make_plate):
        return make_plate("P_B02.tif", "P_B03.tif", name="P.htd")


class TestReal(MicroscopeContract):
    (microscope,) = plugin.hcs_microscopes()

    @pytest.fixture
    def plate_folder(self, samples):
        return samples / "9987_Plate_3420"
