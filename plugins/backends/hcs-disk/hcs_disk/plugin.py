"""What this distribution declares to hcs_core."""

hcs_api = 1
