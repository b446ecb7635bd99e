"""Arrays kept in memory between steps, for hcs_core."""
