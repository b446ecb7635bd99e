"""Synthetic plates of known truth, and `hcs demo`, for hcs_core."""
