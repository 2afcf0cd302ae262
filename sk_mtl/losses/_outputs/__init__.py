"""What the logits of one task mean."""
