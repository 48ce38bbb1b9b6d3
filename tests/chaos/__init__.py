"""Faults on the running system: what of a call survives, and how long there is silence.

`python -m tests.chaos` runs every case several times and prints the table of docs/RELIABILITY.md;
`test_chaos.py` runs the quick ones once.
"""
