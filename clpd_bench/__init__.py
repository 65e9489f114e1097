"""Benchmark and ablation suite for curriculum-guided progressive distillation of language models."""
