"""Steps of the scripts that are easier to write and to test in Python."""
