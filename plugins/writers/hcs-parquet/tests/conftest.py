"""What these tests share."""

from hcs_core.testing import hcs_manager

__all__ = ["hcs_manager"]
