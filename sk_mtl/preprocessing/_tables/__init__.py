"""Columns of any table."""
