"""Small objects that a parameter takes in place of a name."""
