"""Wirings, the parts of networks that differ between papers."""
