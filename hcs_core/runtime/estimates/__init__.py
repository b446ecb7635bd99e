"""What is estimated from the plate's own images before the wells: made, kept, shown."""
