"""Callbacks that connect training libraries to `tutelage.current_run()`: one module a library, imported by your script.

Outside a Tutelage operation they do nothing. Each module imports its own library alone.
"""
