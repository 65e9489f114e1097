"""One table out of several ablation files, and what stands around it."""
