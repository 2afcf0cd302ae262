"""Rows on their way from X and y to tensors."""
