"""The pure words of Tutelage: specs, operations, events, commands, findings, services, ports, errors."""
