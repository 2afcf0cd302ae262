"""Experts and gates."""
