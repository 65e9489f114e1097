"""The blocks of the ablation file, one file a block."""
