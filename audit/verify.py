"""Verifying an auditor's pack offline: no database, no gateway, no network.

`verify` finds every altered byte of a pack and names what it belongs to. It cannot know whether the log
showed somebody else another history (compare checkpoints with the other parties), whether an act was
never recorded, or, unless a key is pinned, whose log this is.
"""

from typing import BinaryIO, Final

from audit.checkpoint import Checkpoint
from audit.encoding import decimal
from audit.errors import NoteMalformed, SignatureInvalid
from audit.note import Verifier
from audit.pack import CHECKPOINT_LINES, HEADER
from audit.replay import Lines, Replay
from audit.report import Finding, Findings, Report, Thing

_AFTER_HEAD: Final = (b"entry ", b"node ", b"document ", b"end ")
_DIGEST_DIGITS: Final = 64


def verify(pack: BinaryIO, *, pinned_key: str | None = None, earlier: str | None = None) -> Report:
    """Check a pack and report all that is wrong with it; it goes on past a fault wherever it can.

    `pinned_key` is the verifier key text of the log, from a source other than the pack; `earlier` is a
    signed checkpoint that the auditor kept. Raises `NoteMalformed` if the pinned key is not a key.
    """
    lines, findings = Lines(pack), Findings()

    # 1. The file is a pack of the version known here.
    if lines.next() != HEADER:
        findings.add(Finding(Thing.HEADER, 1, "is not that of a pack of this version"))

    # 2. The key is the pinned one. Without a pinned key the pack's own is used, and the report says so.
    stated = _read_key(lines, findings)
    verifier = stated if pinned_key is None else Verifier.from_text(pinned_key)
    if stated is not None and verifier is not None and stated.text != verifier.text:
        findings.add(Finding(Thing.KEY, lines.number, "is not the pinned key"))

    # 3. Each checkpoint is signed by that key, names its log, and is larger than the one before.
    heads = _read_checkpoints(lines, findings, verifier)
    last = heads[-1][1] if heads else None
    limit = None if last is None else last.size

    # 4. The earlier checkpoint, where there is one, is of the same log and not larger than the pack.
    kept = _read_earlier(earlier, findings, verifier, limit)
    if kept is not None:
        heads.append((Thing.EARLIER, kept))

    # 5. Each entry is in its place, canonical, in form, and has its leaf hash; no time runs backwards
    #    (a warning). Each inner node is the hash of the two below it, so a fault is found where it lies.
    replay = Replay(lines, findings, limit, {head.size: None for _, head in heads})
    replay.run()

    # 6. At the size of each checkpoint the entries make exactly its root: an earlier one is a prefix.
    for thing, head in heads:
        _check_root(thing, head, replay, findings)

    # 7. Each text has its hash and is named by an entry; no agreement that an entry names is missing.
    documents = _read_documents(replay)

    # 8. The pack ends where it says, with as many entries and texts as it says and as were signed.
    _read_end(replay, documents)
    if limit is not None and replay.size > limit:
        message = "does not cover all entries of the pack"
        findings.add(Finding(Thing.CHECKPOINT, lines.number, message, relying=(limit, replay.size)))

    return Report(
        key=None if verifier is None else verifier.text,
        pinned=pinned_key is not None,
        origin=None if last is None else last.origin,
        size=replay.size,
        root=None if last is None else last.root,
        documents=documents,
        earlier_size=None if kept is None else kept.size,
        findings=tuple(findings.kept),
        finding_count=findings.total,
        fault_count=findings.faults,
    )


def _read_key(lines: Lines, findings: Findings) -> Verifier | None:
    line = lines.next()
    try:
        return Verifier.from_text(_line_text(line, "key "))
    except NoteMalformed as fault:
        if line.startswith((b"checkpoint", *_AFTER_HEAD)):
            lines.hand_back(line)
        findings.add(Finding(Thing.KEY, lines.number, f"cannot be read: {fault}"))
        return None


def _line_text(line: bytes, tag: str) -> str:
    text = _decode(line)
    if not (text.startswith(tag) and text.endswith("\n")):
        raise NoteMalformed("its line is damaged")
    return text[len(tag) : -1]


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise NoteMalformed("it is not UTF-8") from None


def _read_checkpoints(lines: Lines, findings: Findings, verifier: Verifier | None) -> list[tuple[Thing, Checkpoint]]:
    heads: list[tuple[Thing, Checkpoint]] = []
    lost = False
    while (line := lines.next()) and not line.startswith(_AFTER_HEAD):
        if line != b"checkpoint\n":
            if not lost:
                findings.add(Finding(Thing.CHECKPOINT, lines.number, "cannot be read"))
            lost = True
            continue
        at = lines.number
        lost = False
        note = b"".join(lines.next() for _ in range(CHECKPOINT_LINES))
        try:
            head = _open(note, verifier, heads[-1][1].size if heads else -1)
        except (NoteMalformed, SignatureInvalid) as fault:
            findings.add(Finding(Thing.CHECKPOINT, at, f"is not to be relied on: {fault}"))
        else:
            heads.append((Thing.CHECKPOINT, head))
    lines.hand_back(line)
    if not heads:
        findings.add(Finding(Thing.CHECKPOINT, lines.number, "that is signed and readable is missing"))
    return heads


def _open(note: bytes, verifier: Verifier | None, above: int) -> Checkpoint:
    """Open a pack's checkpoint. Its five lines leave room for three of text and one signature, and no more."""
    text = _decode(note)
    head = Checkpoint.unverified(text) if verifier is None else Checkpoint.open(text, verifier)
    if head.size <= above:
        raise NoteMalformed("it is not larger than the one before it")
    return head


def _read_earlier(
    earlier: str | None, findings: Findings, verifier: Verifier | None, limit: int | None
) -> Checkpoint | None:
    if earlier is None or verifier is None:
        return None
    try:
        kept = Checkpoint.open(earlier, verifier)
    except (NoteMalformed, SignatureInvalid) as fault:
        findings.add(Finding(Thing.EARLIER, 0, f"is not one of this log: {fault}"))
        return None
    if limit is not None and kept.size > limit:
        findings.add(Finding(Thing.EARLIER, 0, "is larger than the log in this pack: entries have gone"))
        return None
    return kept


def _check_root(thing: Thing, head: Checkpoint, replay: Replay, findings: Findings) -> None:
    found = replay.roots[head.size]
    if found == head.root:
        return
    if replay.size < head.size:
        message = f"covers {head.size} entries, and the pack holds {replay.size}"
    elif found is None:
        message = f"of size {head.size} cannot be compared: the tree is damaged"
    else:
        message = f"of size {head.size} has another root than the entries make"
    findings.add(Finding(thing, replay.lines.number, message, relying=(0, head.size)))


def _read_documents(replay: Replay) -> int:
    """Check each text; return how many there are."""
    lines, findings = replay.lines, replay.findings
    seen: set[str] = set()
    before = ""
    count = 0
    lost = False
    while (line := lines.next()) and not line.startswith(b"end "):
        at = lines.number
        try:
            digest, length = _document_head(line)
        except NoteMalformed as fault:
            if not lost:
                findings.add(Finding(Thing.DOCUMENT, at, f"cannot be read: {fault}"))
            lost = True
            continue
        lost = False
        count += 1
        named = replay.named.get(digest)
        relying = None if named is None else (named.first, named.stop)
        if named is None:
            findings.add(Finding(Thing.DOCUMENT, at, "is named by no entry"))
        if digest <= before:
            findings.add(Finding(Thing.DOCUMENT, at, "is out of order", relying=relying))
        before = digest
        if lines.hash_of(length) == digest:
            seen.add(digest)
        else:
            findings.add(Finding(Thing.DOCUMENT, at, "does not have its hash", relying=relying))
    lines.hand_back(line)
    for digest, named in replay.named.items():
        if named.agreement and digest not in seen:
            message = f"{digest} is missing or altered"
            relying = (named.first, named.stop)
            findings.add(Finding(Thing.DOCUMENT, lines.number, message, relying=relying))
    return count


def _document_head(line: bytes) -> tuple[str, int]:
    digest, _, length = _line_text(line, "document ").partition(" ")
    if len(digest) != _DIGEST_DIGITS:
        raise NoteMalformed("its hash is damaged")
    return digest, decimal(length)


def _read_end(replay: Replay, documents: int) -> None:
    line = replay.lines.next()
    number = replay.lines.number
    if line != b"end %d %d\n" % (replay.size, documents):
        message = "does not state what the pack holds" if line else "is missing: the pack is cut short"
        replay.findings.add(Finding(Thing.END, number, message, relying=(0, replay.size)))
    if replay.lines.next():
        replay.findings.add(Finding(Thing.END, number + 1, "is followed by more", relying=(0, replay.size)))
