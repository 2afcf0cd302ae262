"""The models of the family: one file each."""
