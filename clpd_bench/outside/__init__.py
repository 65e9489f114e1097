"""What comes from outside: the hub, local files and weights, lm-eval's tasks, the user's own functions."""
