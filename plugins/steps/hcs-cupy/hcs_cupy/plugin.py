"""What this distribution declares to hcs_core."""

from __future__ import annotations

hcs_api = 1
