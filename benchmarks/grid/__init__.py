"""The two sides of benchmarks/grid.py."""
