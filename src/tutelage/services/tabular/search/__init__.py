"""The search: trials, the study that proposes them, the state that survives a kill, commands."""
