"""Hostile input: every format against everything that is sent to break it, through the HTTP interface.

`python -m tests.hostile` prints the table.
"""
