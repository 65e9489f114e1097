"""Models, divergences, the chunked loss, targets and the training loop. Usable outside the suite."""
