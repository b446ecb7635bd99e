"""ImageXpress (MetaXpress export) plates for hcs_core."""
