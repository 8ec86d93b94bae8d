"""Benchmarks: each compares our code with a named alternative in the same run, and prints the ratio."""
