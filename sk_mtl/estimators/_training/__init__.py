"""Training: the net, its batches' steps, and when it stops."""
