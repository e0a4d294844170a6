"""What can be seen from entries alone: decisions made again, candidates tried on the past, findings, monthly reports.

Everything here reads sealed entries and the agreement texts they name, from the database or from an auditor's pack, and
needs nothing else: what the gateway says of itself can be worked out again on another machine.
"""
