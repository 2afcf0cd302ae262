"""The columns of y."""
