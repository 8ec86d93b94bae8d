"""`python -m emulator`: one module a command."""
