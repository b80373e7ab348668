"""The process that trains: reads one operation's folder, builds the Run, imports one service, runs it."""
