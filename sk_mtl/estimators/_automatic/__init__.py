"""The values of parameters that are "auto", chosen from facts about the data."""
