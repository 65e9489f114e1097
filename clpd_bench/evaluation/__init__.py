"""lm-eval in process, our task files, response loss, and the items that come of them."""
