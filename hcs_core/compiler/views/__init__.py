"""A plan for those who look at it: as data, as tables and in words, and what differs from another."""
