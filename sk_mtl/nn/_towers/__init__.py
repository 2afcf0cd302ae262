"""From each task's row to its logits."""
