"""Running a plan: one well's run, the executors, the journal, and what is written about a run.

Here lie the driver of a run, what travels to workers and back, the output folder, and the protocols. `well` is one
well's run, `workers` the local executor, `artifacts` and `estimates` what is made beside images, `services` what a
plate offers.
"""
