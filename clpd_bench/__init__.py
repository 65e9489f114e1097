"""Benchmark and ablation suite for curriculum-guided progressive distillation of language models."""

from clpd_bench.results.frame import read_items

__all__ = ["read_items"]
