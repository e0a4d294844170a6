"""Verifying an auditor's pack offline: no database, no gateway, no network.

`verify` finds every altered byte of a pack and names what it belongs to. It cannot know whether an act was
never recorded, or, unless a key is pinned, whose log this is. Whether the log showed somebody else another
history it knows from their checkpoint alone: that which an auditor kept, or a pinned witness cosigned.
"""

from collections.abc import Callable, Sequence
from typing import Final

from audit.checkpoint import Checkpoint
from audit.encoding import decimal
from audit.errors import NoteMalformed
from audit.heads import line_text, read_checkpoints, read_earlier, read_key, read_witnesses
from audit.judges import judges
from audit.lines import Lines, Readable
from audit.pack import HEADER
from audit.replay import Replay
from audit.report import Finding, Findings, Report, Thing

_DIGEST_DIGITS: Final = 64


def verify(
    pack: Readable,
    *,
    pinned_key: str | None = None,
    earlier: str | None = None,
    witnesses: Sequence[str] = (),
    jobs: int = 1,
    progress: Callable[[int, int | None], None] = lambda _done, _of: None,
) -> Report:
    """Check a pack and report all that is wrong with it; it goes on past a fault wherever it can.

    `pinned_key` is the verifier key text of the log, and `witnesses` are those of cosigners each of which must have
    cosigned, from a source other than the pack; `earlier` is a signed checkpoint that the auditor kept. `jobs` is the
    most processes that look ahead, and changes no finding. `progress` is told how many entries have been read, and of
    how many. Raises `NoteMalformed` if a pinned key is not a key, `BrokenProcessPool` if a process is killed.
    """
    lines, findings = Lines(pack), Findings()

    # 1. The file is a pack of the version known here.
    if lines.next() != HEADER:
        findings.add(Finding(Thing.HEADER, 1, "is not that of a pack of this version"))

    # 2. The key is the pinned one. Without a pinned key the pack's own is used, and the report says so.
    #    The same goes for the witnesses.
    verifier = read_key(lines, findings, pinned_key)
    watchers = read_witnesses(lines, findings, witnesses)

    # 3. Each checkpoint is signed by that key, names its log, and is larger than the one before. Each cosignature is
    #    of a known witness, and each witness has cosigned.
    heads = read_checkpoints(lines, findings, verifier, watchers)
    last = heads.last
    limit = None if last is None else last.size

    # 4. The earlier checkpoint, where there is one, is of the same log and not larger than the pack.
    kept = read_earlier(earlier, findings, heads)
    held_to = [*heads.checkpoints, *([] if kept is None else [(Thing.EARLIER, kept)])]

    # 5. Each entry is in its place, canonical, in form, and has its leaf hash; no time runs backwards
    #    (a warning). Each inner node is the hash of the two below it, so a fault is found where it lies.
    roots: dict[int, bytes | None] = {head.size: None for _, head in held_to}
    replay = Replay(lines, findings, limit, roots, lambda size: progress(size, limit))
    with judges(jobs, limit or 0) as crew:
        lines.divide(limit or 0, tuple(sorted(roots)), crew)
        replay.run()

    # 6. At the size of each checkpoint the entries make exactly its root: an earlier one is a prefix.
    for thing, head in held_to:
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
        cosigned=tuple(heads.cosigned),
        findings=tuple(findings.kept),
        finding_count=findings.total,
        fault_count=findings.faults,
    )


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
        named = replay.naming.texts.get(digest)
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
    for digest, named in replay.naming.texts.items():
        if named.agreement and digest not in seen:
            message = f"{digest} is missing or altered"
            relying = (named.first, named.stop)
            findings.add(Finding(Thing.DOCUMENT, lines.number, message, relying=relying))
    return count


def _document_head(line: bytes) -> tuple[str, int]:
    digest, _, length = line_text(line, "document ").partition(" ")
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
