"""Metrics of rankings within groups."""
