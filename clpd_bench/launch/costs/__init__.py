"""What a plan will cost, out of what is at hand: the store, configurations, what the ablation file declares."""
