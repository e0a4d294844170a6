"""Answers for names as Docker's own resolver does, at 127.0.0.11 of one network namespace: `python names.py FILE`.

The file has `address name` on each line, and is read again for every question, so that a container that comes back
under another address is found. IPv4 only; what is not in the file does not exist. Alone: nothing else is imported.
Source: RFC 1035 section 4.
"""

from __future__ import annotations

import socket
import struct
import sys
from pathlib import Path

ADDRESS = ("127.0.0.11", 53)
HEAD = struct.Struct("!6H")
_ANSWER = 0x8180  # a response, recursion desired and available
_NO_SUCH_NAME = 3
_A, _IN = 1, 1
_POINTER = 0xC00C  # to the name in the question
_SECONDS = 1  # to live


def main() -> None:
    """Answer until ended."""
    file = Path(sys.argv[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(ADDRESS)
        while True:
            asked, sender = line.recvfrom(4096)
            line.sendto(answer(asked, file.read_text()), sender)


def answer(asked: bytes, known: str) -> bytes:
    """The answer to one question."""
    number = HEAD.unpack_from(asked)[0]
    labels, at = [], HEAD.size
    while size := asked[at]:
        labels.append(asked[at + 1 : at + 1 + size].decode("ascii").lower())
        at += 1 + size
    kind, _ = struct.unpack_from("!2H", asked, at + 1)
    question = asked[HEAD.size : at + 5]
    by_name = {name: address for address, name in (line.split() for line in known.splitlines())}
    address = by_name.get(".".join(labels))
    found = b""
    if address is not None and kind == _A:
        found = struct.pack("!3HIH", _POINTER, _A, _IN, _SECONDS, 4) + socket.inet_aton(address)
    flags = _ANSWER | (0 if address else _NO_SUCH_NAME)
    return HEAD.pack(number, flags, 1, bool(found), 0, 0) + question + found


if __name__ == "__main__":
    main()
