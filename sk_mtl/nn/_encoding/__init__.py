"""From coded columns to one row of numbers."""
