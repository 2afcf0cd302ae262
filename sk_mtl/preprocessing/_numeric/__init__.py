"""Numbers and times to scaled numbers."""
