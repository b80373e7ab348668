"""The command line: parse, ask the client, render.

Modules of commands import only typer at the top; the client and Rich are imported inside the commands, because
`tutelage --help` must answer within 0.3 s and the wire's models alone take most of that.
"""
