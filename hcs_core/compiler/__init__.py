"""The compiler: the frozen plan, and the passes that make it.

Here lie the plan with its values and what makes one of them. `passes` are the five, `source` what the plate gives,
`graph` what steps mean, `order` how a well is gone through, `views` how a plan is shown.
"""
