"""Benchmark and ablation suite for curriculum-guided progressive distillation of language models."""

from clpd_bench.reporting.read import read_items

__all__ = ["read_items"]
