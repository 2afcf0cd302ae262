"""Importances of columns, and dependence of answers on them, for all tasks at once."""
