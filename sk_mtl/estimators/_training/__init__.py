"""Training: the net, its steps, and the rule that stops it."""
