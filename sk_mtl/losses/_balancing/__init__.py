"""Balancers: ways to join the losses of tasks."""
