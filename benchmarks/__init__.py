"""Benchmarks: what the design costs, as ratios against the naive design in the same run."""
