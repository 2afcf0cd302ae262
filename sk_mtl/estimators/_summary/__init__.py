"""The summary of a fit, as text and as HTML."""
