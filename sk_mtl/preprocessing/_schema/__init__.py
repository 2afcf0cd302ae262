"""The columns of a fitted preprocessor's output."""
