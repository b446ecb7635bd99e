"""Running a plan: one well's run, the executors, the journal, and what is written about a run."""
