"""Towers, from each task's row to its logits."""
