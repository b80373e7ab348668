"""For those who build on Tutelage: a service that trains in milliseconds, and contract suites."""
