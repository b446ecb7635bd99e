"""What becomes of artifacts: kept well by well, put together for the plate, written into files."""
