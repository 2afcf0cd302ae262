"""Values to codes."""
