"""Outputs: the meaning of the logits of one task."""
