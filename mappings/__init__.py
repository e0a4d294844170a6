"""The dictionary: the common schema, and, as data, how each outside system says it.

This room knows nothing of agreements, storage or HTTP. `record` is the schema every adapter reads into and writes
from; `items` names the data items an agreement can release; `profile` reads an outside document by a table of rows.
"""
