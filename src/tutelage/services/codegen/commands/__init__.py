"""The service's own commands: `tutelage codegen NAME`."""
