"""TIFF for hcs_core: planes are read from it, and images kept in it."""
