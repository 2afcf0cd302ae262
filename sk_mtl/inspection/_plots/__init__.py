"""Displays: tables of numbers that draw themselves with matplotlib."""
