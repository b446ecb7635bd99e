"""The graph of a plan: what the steps of a pipeline mean, and the nodes that are made of them."""
