"""Pictures of plates, for hcs_core."""
