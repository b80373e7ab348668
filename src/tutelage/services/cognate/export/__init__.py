"""The model in forms that other libraries read."""
