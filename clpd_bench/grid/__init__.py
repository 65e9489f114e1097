"""The grid of an ablation: its points, the values that were tuned, its cells; and the file as a whole, loaded."""
