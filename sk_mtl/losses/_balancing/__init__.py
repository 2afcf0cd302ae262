"""How the losses of tasks are joined."""
