"""How tasks build on each other."""
