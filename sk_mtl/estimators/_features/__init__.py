"""From columns to the encoder of a network."""
