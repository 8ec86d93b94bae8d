"""The command line of the local stack, with one module for each command."""
