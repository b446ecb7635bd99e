"""ImageXpress plates (MetaXpress exports and copies of its database) for hcs_core."""
