"""One table out of several ablation files."""
