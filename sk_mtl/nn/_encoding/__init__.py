"""Encoders, from coded columns to one row of numbers."""
