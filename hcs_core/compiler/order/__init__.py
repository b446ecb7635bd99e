"""The order in which a well is worked on, and what of it is there: the compiler counts by it, the run goes by it."""
