"""Every way this room can refuse. Nothing else is raised on purpose.

AuditError
├── Refused                 a value does not fit; carries `path` and `reason`, never the value
│   ├── NotCanonical        cannot be written as the canonical JSON of this room
│   └── EntryInvalid        is not an entry
├── NoteMalformed           the text is not a signed note, checkpoint, receipt or key
├── SignatureInvalid        no known key signed it, or a known key's signature is wrong
├── ProofInvalid            a Merkle proof does not lead to the root
├── StorageFault            what is stored does not fit together
│   ├── NodesMissing        a node a proof needs is not stored
│   ├── HeadMoved           somebody else wrote between lock and append
│   └── LogExists           the log has been created before
├── Unknown                 no such thing
│   ├── LogUnknown
│   └── IndexUnknown        no entry at this index, or no tree of this size
├── PackIncomplete          a pack cannot be written whole
├── NotCosigned             a witness does not cosign (C2SP tlog-witness)
│   ├── SubmissionMalformed what was handed in is not old size, proof and checkpoint
│   ├── OriginUnknown       the checkpoint is of a log that is not witnessed here
│   ├── LogKeyMissing       the log's key did not sign it, or its signature is wrong
│   ├── SizeMoved           the old size is not that of the last checkpoint cosigned; carries that `size`
│   └── Inconsistent        it is not a continuation of what the witness has seen: the log shows two histories
└── WitnessFault            a witness's own state cannot be read, or the gateway it watches cannot be asked
"""

from typing import Self


class AuditError(Exception):
    """The root of the tree."""


class Refused(AuditError):
    """A value does not fit. `path` is as in `subjects[0]`, and is empty for the whole value."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'value'}: {reason}")
        self.path = path
        self.reason = reason

    def under(self, step: str) -> Self:
        """Return the same refusal, seen from one level further out."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return type(self)(f"{step}{joint}{self.path}", self.reason)


class NotCanonical(Refused):
    """The value cannot be written as the canonical JSON of this room."""


class EntryInvalid(Refused):
    """The value is not an entry."""


class NoteMalformed(AuditError):
    """The text is not a signed note, checkpoint, receipt or verifier key."""


class SignatureInvalid(AuditError):
    """No known key signed the note, or the signature of a known key is wrong."""


class ProofInvalid(AuditError):
    """A Merkle proof does not lead to the root."""


class StorageFault(AuditError):
    """What is stored does not fit together."""


class NodesMissing(StorageFault):
    """A node that a proof needs is not stored."""


class HeadMoved(StorageFault):
    """Somebody else wrote between lock and append; the transaction must be rolled back."""


class LogExists(StorageFault):
    """The log has been created before."""


class Unknown(AuditError):
    """No such thing is here."""


class LogUnknown(Unknown):
    """No log has this id."""


class IndexUnknown(Unknown):
    """The log has no entry at this index, or has not reached this size."""


class PackIncomplete(AuditError):
    """A pack cannot be written whole: an entry or a named text is missing."""


class NotCosigned(AuditError):
    """A witness does not cosign what was handed in."""


class SubmissionMalformed(NotCosigned):
    """What was handed in is not an old size, a proof and a checkpoint, or the old size is the larger."""


class OriginUnknown(NotCosigned):
    """The checkpoint is of a log that is not witnessed here."""


class LogKeyMissing(NotCosigned):
    """No key known for the log signed the checkpoint, or the signature of a known one is wrong."""


class SizeMoved(NotCosigned):
    """The old size is not that of the last checkpoint cosigned, which is `size`."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the last checkpoint cosigned has {size} entries")
        self.size = size


class Inconsistent(NotCosigned):
    """The checkpoint is not a continuation of what the witness has seen: the log shows two histories."""


class WitnessFault(AuditError):
    """A witness's own state cannot be read, or the gateway it watches cannot be asked."""
