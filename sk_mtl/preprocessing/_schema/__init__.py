"""What a fitted preprocessor's output holds."""
