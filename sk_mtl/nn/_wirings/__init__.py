"""Wirings: the part of a network that a paper is about."""
