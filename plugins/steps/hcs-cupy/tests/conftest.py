"""numpy and scipy in the place of CuPy, for what can be checked without a GPU."""

import sys
import types

import numpy as np
import pytest
import scipy.ndimage


def numpy_instead():
    """Return modules by name: CuPy mirrors numpy's interface, and `cupyx.scipy.ndimage` that of `scipy.ndimage`.

    So the calls that the kernels make mean the same, parameter by parameter, in either; that CuPy has them is for
    test_documented_calls.py to say.
    """
    cupy, cupyx, scipy_part = (types.ModuleType(name) for name in ("cupy", "cupyx", "cupyx.scipy"))
    for name in ("asarray", "bincount"):
        setattr(cupy, name, getattr(np, name))
    # No array is CuPy's: all are numpy's.
    cupy.ndarray, cupy.generic = (type(name, (), {}) for name in ("ndarray", "generic"))
    scipy_part.ndimage = scipy.ndimage
    return {"cupy": cupy, "cupyx": cupyx, "cupyx.scipy": scipy_part, "cupyx.scipy.ndimage": scipy.ndimage}


@pytest.fixture(scope="module")
def _numpy_for_cupy():
    """Put them in place while the tests of a module run, whether CuPy is installed or not."""
    stand_ins = numpy_instead()
    before = {name: sys.modules.pop(name, None) for name in stand_ins}
    sys.modules.update(stand_ins)
    yield
    for name, module in before.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module
