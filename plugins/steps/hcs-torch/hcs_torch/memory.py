"""The memory type `torch`: PyTorch's tensors, on its CPU and its devices.

Importing this module, making a `TorchMemory`, and asking what it owns or holds import no torch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hcs_core import to_dtype
from hcs_torch.sums import sums

if TYPE_CHECKING:
    import torch

CPU = "cpu"

HELD: dict[str, str] = {
    **{name: name for name in ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")},
    "uint16": "int32",
    "uint32": "int64",
}
"""In which dtype an image is held. torch has names for uint16 and uint32, and next to no arithmetic in them; it has
no integers that hold all of uint64."""

OUT_OF_MEMORY = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""What a full device says through a plain RuntimeError: the driver before torch's own allocator, MPS, cuBLAS."""


_FLOAT32_BYTES = 4
"""Sums of smaller floats overflow soon, and are slow on a CPU."""


class TorchMemory:
    """PyTorch's tensors: a `MemoryType` with devices (`HasDevices`).

    Images of uint16 are held in int32 and of uint32 in int64; uint64 is not held. What torch computes in shares the
    memory of the numpy array that it comes from, and goes back to, where both are on the CPU.

    Examples
    --------
    >>> from hcs_torch.memory import TorchMemory
    >>> TorchMemory().holds("uint16"), TorchMemory().holds("float32"), TorchMemory().holds("uint64")
    ('int32', 'float32', '')
    """

    def owns(self, array: object) -> bool:
        """Whether it is a tensor."""
        tensor = getattr(sys.modules.get("torch"), "Tensor", None)
        return tensor is not None and isinstance(array, tensor)

    def holds(self, dtype: str) -> str:
        """Return the dtype in which an image is held; empty for what torch has no room for, such as uint64."""
        return HELD.get(dtype, "")

    def from_host(self, array: npt.NDArray[Any], device: str = CPU) -> torch.Tensor:
        """Return a tensor of a numpy array's content, held as `holds` says.

        On the CPU it shares the array's memory, unless it has to be widened, is big-endian, is laid out as torch
        cannot (backwards, or at odd bytes), or is read-only: torch has no tensors that are.

        Raises
        ------
        ValueError
            torch cannot hold its dtype.
        """
        import torch

        name = array.dtype.name
        held = self.holds(name)
        if not held:
            raise ValueError(_not_held(name))
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        if device == CPU:
            # numpy widens in a sixth of torch's time.
            return torch.from_numpy(_shareable(native.astype(held, copy=False)))
        # Half the bytes on their way: it is widened on the device.
        return torch.from_numpy(_shareable(native)).to(device).to(getattr(torch, held))

    def to_host(self, array: torch.Tensor, dtype: str = "") -> npt.NDArray[Any]:
        """Return a numpy array of a tensor's content, which shares its memory where nothing has to change.

        bfloat16, which numpy has not, comes as float32.
        """
        import torch

        if array.dtype == torch.bfloat16:
            array = array.to(torch.float32)
        if dtype and self.holds(dtype) and array.device.type != CPU:
            # Half the bytes on their way: it is narrowed on the device.
            array = self.cast(array, dtype).to(getattr(torch, dtype))
        host: npt.NDArray[Any] = array.numpy(force=True)
        return to_dtype(host, dtype) if dtype else host

    def cast(self, array: torch.Tensor, dtype: str) -> torch.Tensor:
        """Return a tensor as an image of a dtype: rounded half to even and clipped where that is an integer.

        Raises
        ------
        ValueError
            torch cannot hold the dtype, or cannot compute in the tensor's own.
        """
        import torch

        if not self.holds(dtype):
            raise ValueError(_not_held(dtype))
        held = getattr(torch, self.holds(dtype))
        array = _signed(array)
        if array.dtype == held and (held.is_floating_point or str(held) == f"torch.{dtype}"):
            return array
        if held.is_floating_point or torch.bool in (held, array.dtype):
            return array.to(held)
        limits = torch.iinfo(getattr(torch, dtype))
        if not array.dtype.is_floating_point:
            return array.to(torch.promote_types(array.dtype, held)).clamp(limits.min, limits.max).to(held)
        return _whole(array, limits.min, limits.max).to(held)

    def stack(self, planes: Sequence[torch.Tensor | None]) -> torch.Tensor:
        """Return tensors as one, along a new first axis; `None` stands for zeros."""
        import torch

        first = next(plane for plane in planes if plane is not None)
        dark = torch.zeros_like(first) if any(plane is None for plane in planes) else first
        return torch.stack([dark if plane is None else plane for plane in planes])

    def nonfinite(self, array: torch.Tensor) -> int:
        """Return how many values are NaN or infinite."""
        import torch

        if not array.dtype.is_floating_point:
            return 0
        # No sum of what is NaN or infinite is finite: to count takes 50 times as long.
        if array.dtype.itemsize >= _FLOAT32_BYTES and bool(torch.isfinite(array.sum())):
            return 0
        finite = int(torch.count_nonzero(torch.isfinite(array)))
        count: int = array.numel() - finite
        return count

    def mark(self, array: torch.Tensor) -> object:
        """Return torch's count of writes into a tensor and its views, and on the CPU sums of its bytes.

        The sums see what is written into the array that `image.numpy()` gives. `None` for tensors of
        `torch.inference_mode`, in which torch counts nothing.
        """
        if array.is_inference():
            return None
        # Documented in torch's notes on autograd, with its underscore.
        count = array._version  # noqa: SLF001
        return count, sums(self.to_host(array)) if array.device.type == CPU else b""

    # --- Devices --------------------------------------------------------------------------------------------

    def devices(self) -> tuple[str, ...]:
        """Return CUDA's devices (ROCm's go by that name too), Apple's `mps:0`, and last the CPU."""
        import torch

        cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        mps = ["mps:0"] if torch.backends.mps.is_available() else []
        return (*cuda, *mps, CPU)

    def device_of(self, array: torch.Tensor) -> str:
        """Return the device that a tensor is on."""
        return str(array.device)

    def to_device(self, array: torch.Tensor, device: str) -> torch.Tensor:
        """Return a tensor on a device; itself where it is there."""
        return array.to(device)

    @contextmanager
    def scope(self, device: str, dtype: str) -> Iterator[None]:  # noqa: ARG002 - torch computes in 64 bits as it is
        """Make new tensors on the device, and no graphs for gradients.

        It is `no_grad`, not `inference_mode`: a function may still open `torch.enable_grad()` to fit something of
        its own, and what it returns is an ordinary tensor.
        """
        import torch

        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            wanted = torch.device(device)
            # A default device slows every call down a little: on the CPU it is set only where it has to be.
            if torch.get_default_device() != wanted:
                stack.enter_context(wanted)
            if wanted.type == "cuda":
                stack.enter_context(torch.cuda.device(wanted))
            yield

    def free_bytes(self, device: str) -> int | None:
        """Return the memory that is free on a CUDA device, with what torch keeps there for new tensors.

        `None` on the CPU and on Apple's devices, whose memory is the host's.
        """
        import torch

        if not device.startswith("cuda"):
            return None
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        free: int = torch.cuda.mem_get_info(device)[0] + kept
        return free

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether a device's memory is full; the host's own is none, which no other kernel would find emptier."""
        import torch

        if isinstance(error, torch.OutOfMemoryError):
            return True
        return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)

    def release(self, device: str) -> None:
        """Give back what torch's allocator keeps on a device."""
        import torch

        if device.startswith("cuda") and torch.cuda.is_initialized():
            with torch.cuda.device(device):
                torch.cuda.empty_cache()
        elif device.startswith("mps"):
            torch.mps.empty_cache()

    def wait(self, array: torch.Tensor) -> None:
        """Return when what was begun on a tensor's device is done."""
        import torch

        if array.device.type == "cuda":
            torch.cuda.synchronize(array.device)
        elif array.device.type == "mps":
            torch.mps.synchronize()


def _not_held(dtype: str) -> str:
    return f"torch holds no image of {dtype}: convert it before, to one of {', '.join(HELD)}"


def _shareable(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array that torch takes without a word: of whole positive strides, and writable."""
    odd = any(step < 0 or step % array.itemsize for step in array.strides)
    return array if array.flags.writeable and not odd else np.array(array, order="C")


def _signed(array: torch.Tensor) -> torch.Tensor:
    """Return a tensor of a dtype that torch has a name for and no arithmetic in as one in which it has."""
    import torch

    if array.dtype == torch.uint64:
        raise ValueError(_not_held("uint64"))
    return array.to({torch.uint16: torch.int32, torch.uint32: torch.int64}.get(array.dtype, array.dtype))


def _whole(array: torch.Tensor, lowest: int, highest: int) -> torch.Tensor:
    """Return floats as int64: rounded half to even, clipped, and 0 for NaN."""
    import torch

    # float32 holds the ends of 8 and 16 bits, float64 those of 32; of 64 bits no float holds the upper end.
    wide = torch.float32 if highest < 1 << 24 and array.dtype != torch.float64 else torch.float64
    rounded = torch.nan_to_num(array.to(wide).round(), nan=0.0)
    if highest < 1 << 53:
        return rounded.clamp(lowest, highest).to(
            torch.int64 if highest > torch.iinfo(torch.int32).max else torch.int32
        )
    below = float(np.nextafter(2.0**63, 0.0))
    return torch.where(rounded > below, highest, rounded.clamp(lowest, below).to(torch.int64))
