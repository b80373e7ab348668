"""Parse, call Platform, render. No logic."""
