"""Checks a log as an outsider would: exported as a pack, verified with the pinned key."""

from __future__ import annotations

import io

from audit import pack
from audit import sql as log_sql
from audit.note import Verifier
from audit.report import Report
from audit.verify import verify
from gateway.store.database import Database
from gateway.terms import texts


def verify_log(database: Database, log_id: str, verifier: Verifier) -> Report:
    """Export a log with its agreement texts and verify it."""
    out = io.BytesIO()
    with database.reading() as connection:
        documents = {hash_: text for _, hash_, text in texts(connection, log_id)}
        head = log_sql.read_head(connection, log_id)
        leaves = log_sql.leaves(connection, log_id, 0, head.size)
        pack.write(out, verifier, [head.checkpoint], leaves, documents.get)
    out.seek(0)
    return verify(out, pinned_key=verifier.text)
