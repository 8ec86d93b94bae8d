"""Every metric of docs/metrics.md a second time, in plain Python: no SQL, no frames, nothing of the code under test.

`raw` reads one object, `history` chooses the events of a range, and each other module computes one group of metrics.
A metric gives a list of rows; a row is a dict of columns in their order.
"""
