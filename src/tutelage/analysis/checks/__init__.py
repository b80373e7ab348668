"""The health checks, one file each, numbered. Each says what it found with its numbers."""
