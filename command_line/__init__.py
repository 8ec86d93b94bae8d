"""Shared parts of all command lines: safe text, tables, progress, JSON, errors, and a local stack's home."""
