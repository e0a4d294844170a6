"""The answer to a message: original mode AA, AE, AR; enhanced mode CA, CE, CR; also to what could not be read.

An answer goes back to whoever sent, repeats the control id (MSA-2) and says what is wrong by place and in words fixed
beforehand, never by a value (P7). ERR is written as the sender's version has it. Which acknowledgement means what was
kept is the caller's promise; this page only writes it.

Source: HL7 v2.4 sections 2.9.2 and 2.9.3 (processing rules), 2.13.1 (ACK), 2.16.5 (ERR), 2.16.10 (MSA); HL7 v2.5
section 2.15.5 (ERR); domain.md section 2.9.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from adapters.nhs.hl7v2.delimiters import STANDARD, delimiters, escaped, unescaped
from adapters.nhs.hl7v2.finding import NUMBERED, Finding, number
from adapters.nhs.hl7v2.message import Message
from adapters.nhs.hl7v2.moments import written
from adapters.socket import Problem

Code = Literal["AA", "AE", "AR", "CA", "CE", "CR"]
"""MSA-1."""

_CARRIED: Final[dict[str, tuple[Code, Code]]] = {"AA": ("CA", "AA"), "AE": ("CE", "AE"), "AR": ("CR", "AR")}
_WHEN: Final = {"AL": (True, True), "SU": (True, False), "ER": (False, True), "NE": (False, False)}
_MAX_TEXT: Final = 80  # characters of MSA-3 in version 2.4
_MAX_ERRORS: Final = 20  # of a message with thousands of faults nobody reads more
_MAX_ID: Final = 199  # characters of a control id that are repeated: longer ones are in no version
_PLACE: Final = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?)?")
_LINE_END: Final = re.compile(r"[\r\n]")
_OLD: Final = ("2.0", "2.1", "2.2", "2.3", "2.4")  # ERR-1 and nothing else, as `2.3.1` too
_TRIGGERED: Final = ("2.0", "2.1", "2.2")  # MSH-9 has no event in an answer


def answers(message: Message | None, code: Literal["AA", "AE", "AR"]) -> tuple[Code, ...]:
    """The answers that a message asks for, in their order, where it came to `code`; at least one.

    Original mode, where MSH-15 and MSH-16 are both empty: the code alone. Enhanced mode: the accept acknowledgement by
    MSH-15 and the application's by MSH-16, which an unkept message has none of. A sender that asks for none at all is
    answered in original mode: over MLLP it waits for an answer before it sends the next (domain.md section 2.9).
    """
    if message is None or not (message.accept or message.application):
        return (code,)
    good = code == "AA"
    accept, application = (_wanted(said, good=good) for said in (message.accept, message.application))
    carried = _CARRIED[code]
    wanted = ((carried[0],) if accept else ()) + ((carried[1],) if application and not (accept and not good) else ())
    return wanted or (code,)


def ack(
    message: Message | None,
    raw: bytes,
    code: Code,
    problems: Sequence[Finding | Problem],
    control_id: str,
    at: datetime,
) -> bytes:
    """One answer. `message` is None where it could not be read: then what can be told of its header is used.

    `control_id` is the answer's own (at most 20 characters in version 2.4); `at` is aware. UTF-8, MSH-18 says so
    where it is more than ASCII.
    """
    header = _header(raw) if message is None else _read(message)
    worst = () if code in ("AA", "CA") else tuple(problems)[:_MAX_ERRORS]
    version = header.version or "2.4"
    fields = {
        1: STANDARD.encoding,
        2: escaped(header.receiver[0]),
        3: escaped(header.receiver[1]),
        4: escaped(header.sender[0]),
        5: escaped(header.sender[1]),
        6: written(at),
        8: "ACK" if version.startswith(_TRIGGERED) or not header.event else f"ACK^{escaped(header.event)}",
        9: escaped(control_id),
        10: escaped(header.processing) or "P",
        11: escaped(version),
    }
    msa = ["MSA", code, escaped(header.control_id)]
    if worst:
        msa.append(escaped(_text(worst[0])))
    lines = [_joined("MSH", fields), "|".join(msa), *_errors(worst, version)]
    text = "\r".join(lines) + "\r"
    if not text.isascii():
        text = text.replace(lines[0], _joined("MSH", fields | {17: "UNICODE UTF-8"}), 1)
    return text.encode()


@dataclass(frozen=True, slots=True)
class _Header:
    """What an answer repeats of the header."""

    sender: tuple[str, str] = ("", "")
    receiver: tuple[str, str] = ("", "")
    event: str = ""
    control_id: str = ""
    processing: str = ""
    version: str = ""


def _read(message: Message) -> _Header:
    return _Header(
        message.sender,
        message.receiver,
        message.type.partition("^")[2],
        message.control_id[:_MAX_ID],
        message.processing,
        message.version,
    )


def _header(raw: bytes) -> _Header:
    """What can be told of the header of a message that could not be read: it may be cut off, or not be there."""
    text = raw[:4096].decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "replace")
    found = re.search(r"MSH[^\r\n]*", text)
    if found is None or len(found[0]) <= len("MSH|"):
        return _Header()
    by = delimiters(found[0])
    sign = found[0][3]
    fields = [found[0][:3], sign, *found[0].split(sign)[1:]]

    def first(of: int, component: int = 0) -> str:
        value = fields[of] if of < len(fields) else ""
        if by is not None:
            parts = value.partition(by.repetition)[0].split(by.component)
            value = unescaped(parts[component] if component < len(parts) else "", by, "latin-1")
        elif component:
            value = ""
        return "".join(one for one in value if one.isprintable()).strip()[:_MAX_ID]

    return _Header((first(3), first(4)), (first(5), first(6)), first(9, 1), first(10), first(11), first(12))


def _joined(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(index, "") for index in range(1, max(fields) + 1))])


def _text(problem: Finding | Problem) -> str:
    words = problem.words
    return (f"{problem.path}: {words}" if problem.path else words)[:_MAX_TEXT]


def _errors(problems: Sequence[Finding | Problem], version: str) -> list[str]:
    if not problems:
        return []
    if version.startswith(_OLD):
        return ["ERR|" + "~".join(f"{_eld(one)}^{_coded(one, '&')}" for one in problems)]
    return [f"ERR||{_erl(one)}|{_coded(one, '^')}|E||||{escaped(_text(one))}" for one in problems]


def _eld(problem: Finding | Problem) -> str:
    """ERR-1 to version 2.4: segment, which of them, field."""
    found = _PLACE.fullmatch(problem.path)
    return "^^" if found is None else f"{found[1]}^{found[2] or 1}^{found[3] or ''}"


def _erl(problem: Finding | Problem) -> str:
    """ERR-2 from version 2.5: segment, which of them, field, repetition, component."""
    found = _PLACE.fullmatch(problem.path)
    if found is None:
        return ""
    return "^".join(
        (found[1], found[2] or "1", found[3] or "", (found[4] or "1") if found[3] else "", found[5] or "")
    ).rstrip("^")


def _coded(problem: Finding | Problem, sign: str) -> str:
    code = number(problem.code if isinstance(problem, Finding) else problem.fault)
    return sign.join((str(code), NUMBERED[code], "HL70357"))


def _wanted(when: str, *, good: bool) -> bool:
    """Whether an acknowledgement is wanted under a condition of table 0155; one that is not of the table is a yes."""
    on_good, on_bad = _WHEN.get(when.upper(), (True, True)) if when else (False, False)
    return on_good if good else on_bad
