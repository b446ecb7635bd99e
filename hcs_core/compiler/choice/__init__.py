"""Choosing kernels: what their measured costs are, and which choice makes a whole graph cheapest."""
