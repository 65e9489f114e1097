"""Parts of `benchmarks/gpu.py`, one subject a file. Each runs on any device; `shrunk` is for a try without a GPU."""
