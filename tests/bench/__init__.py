"""`make bench`: how long a call's set-up takes and what it costs, beside the least script that does the same.

Nothing here asserts a time: the machine decides. `python -m tests.bench --calls 3` is the quick run.
"""
