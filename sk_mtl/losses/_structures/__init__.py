"""Structures: relations between tasks, and the meaning of logits."""
