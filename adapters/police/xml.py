"""Police XML documents: one incident as elements and attributes, read into one tree, by a profile.

An element that holds nothing but text is that text; another is an object of its attributes (`@name`), its elements by
name, a list where one is repeated, and its own text (`#text`). Names are those of the profile's namespaces
(`mappings.markup`). References by id become links (`adapters.idrefs`). Comments, processing instructions and what XML
Schema remarks on the instance (`xsi:nil`, `xsi:schemaLocation`) say nothing of the matter and are not in the tree.

Everything that reaches beyond the document is off: a document type declaration is refused before its entities are
declared, an XInclude is refused, nothing is fetched and nothing validated. Depth, count and text are bounded while the
document is parsed. The charset is the one the document declares; a declaration that its bytes belie is refused.

Source: XML 1.0 (fifth edition), sections 2.8, 4.3.3 and appendix F; Namespaces in XML 1.0; XML Schema part 1, section
2.6; XInclude 1.0; domain.md section 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from adapters.idrefs import resolve
from adapters.socket import Fault, Limits, Problem, Reading, Unreadable
from mappings.markup import Markup
from mappings.profile import Profile
from mappings.tree import TEXT, Trail, Value, rendered

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_REMARKS = frozenset(_XSI + name for name in ("nil", "schemaLocation", "noNamespaceSchemaLocation"))
_XINCLUDE = "{http://www.w3.org/2001/XInclude}"
_CHARSETS: Final = {
    "utf-8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "windows-1252": "cp1252",
}
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_WIDE_STARTS = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))  # XML 1.0 appendix F.1: wide, without a mark
_WIDE_NAMES: Final = {"utf-16-le": ("utf-16", "utf-16le"), "utf-16-be": ("utf-16", "utf-16be")}
_DECLARED = re.compile(r"""<\?xml\s[^>]{0,80}?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,39})["']""", re.ASCII)
_MAX_DECLARATION = 200  # characters; one of a hundred is long
_MAX_NAME = 500  # characters, its namespace with it; a namespace of a hundred is long
_C1 = re.compile("[\x80-\x9f]")


@dataclass(frozen=True, slots=True)
class PoliceXml:
    """The adapter."""

    name: str = "police.xml"
    media_types: tuple[str, ...] = ("application/xml", "text/xml")

    def read(self, body: bytes, profile: Profile, limits: Limits) -> Reading:
        """Read one document. Raises `Unreadable`."""
        root = parse(body, profile.markup, limits)
        notes = resolve(root, profile.identity, profile.markup.refs) if profile.markup.refs else ()
        return profile.apply(root, notes)


READER = PoliceXml()


def parse(body: bytes, markup: Markup, limits: Limits) -> dict[str, Value]:
    """A tree whose one member is the document's outermost element. Raises `Unreadable`."""
    if len(body) > limits.max_bytes:
        raise _unreadable(Fault.TOO_LARGE)
    from lxml import etree  # noqa: PLC0415 - loaded when the first XML arrives

    plain = _in_utf8(body)
    target = _Builder(markup, limits)
    parser = etree.XMLParser(
        target=target,
        encoding="utf-8",
        resolve_entities="internal",  # the five of XML itself: no document gets as far as declaring another
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        collect_ids=False,
    )
    try:
        etree.XML(plain, parser)
    except etree.XMLSyntaxError as exc:  # its text holds values
        raise _unreadable(_fault(exc.code, plain), target.path) from None
    for error in parser.error_log.filter_from_errors():  # a namespace error does not stop this parser
        raise _unreadable(_fault(error.type, plain))
    return target.root


class _Builder:
    """The target of a parser: builds the tree as the document goes by, and stops at what is not accepted.

    `stack` holds, for each open element, its key, its object where it has one by now, and the pieces of its text.
    """

    __slots__ = ("attributes", "count", "elements", "limits", "markup", "root", "stack")

    def __init__(self, markup: Markup, limits: Limits) -> None:
        self.markup, self.limits = markup, limits
        self.elements: dict[str, str] = {}
        self.attributes: dict[str, str] = {}
        self.count = 0
        self.root: dict[str, Value] = {}
        self.stack: list[tuple[str, dict[str, Value], list[str]]] = [("", self.root, [])]

    @property
    def path(self) -> Trail:
        """Where the parser is."""
        path: Trail = ""
        for (_, around, _), (key, _, _) in zip(self.stack, self.stack[1:], strict=False):
            there = around.get(key)
            path = (path, key)
            if there is not None:
                path = (path, len(there) if type(there) is list else 1)
        return path

    def doctype(self, *_: object) -> None:
        """Refuse a document type declaration: before anything in it is declared."""
        raise _unreadable(Fault.DOCTYPE)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        key = self.elements.get(tag)
        if key is None:
            key = self._element(tag)
        node: dict[str, Value] = {}
        self.stack.append((key, node, []))
        self.count += 1
        if attributes:
            self.count += len(attributes)
            if self.count <= self.limits.max_elements:
                self._into(node, attributes)
        if self.count > self.limits.max_elements:
            raise _unreadable(Fault.TOO_MANY_ELEMENTS, self.path)
        if len(self.stack) > self.limits.max_depth + 1:  # the tree around the outermost element is no depth
            raise _unreadable(Fault.TOO_DEEP, self.path)

    def data(self, text: str) -> None:
        """Take a piece of text."""
        self.stack[-1][2].append(text)

    def end(self, _: str) -> None:
        """Close an element, and put it where it belongs."""
        key, node, pieces = self.stack[-1]
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        if len(text) > self.limits.max_text:
            raise _unreadable(Fault.TEXT_TOO_LONG, self.path)
        self.stack.pop()
        value: Value = text
        if node:
            value = node
            if text and not text.isspace():
                node[TEXT] = text
        _, around, outer = self.stack[-1]
        if outer:
            outer.append(" ")  # words on either side of an element are two
        there = around.get(key)
        if there is None:
            around[key] = value
        elif type(there) is list:
            there.append(value)
        else:
            around[key] = [there, value]

    def close(self) -> None:
        """Nothing: the tree is in `root`."""

    def _into(self, node: dict[str, Value], attributes: Mapping[str, str]) -> None:
        for name, value in attributes.items():
            member = self.attributes.get(name)
            if member is None:
                member = self._attribute(name)
            if len(value) > self.limits.max_text:
                raise _unreadable(Fault.TEXT_TOO_LONG, (self.path, member))
            if member:
                node[member] = value

    def _element(self, tag: str) -> str:
        if tag.startswith(_XINCLUDE):
            raise _unreadable(Fault.PART_ELSEWHERE, self.path)
        self._bounded(tag)
        key = self.elements[tag] = _step(self.markup, tag)
        return key

    def _bounded(self, name: str) -> None:
        """Refuse a name that is a text: each stands in the tree with its namespace, as often as it is used."""
        if len(name) > _MAX_NAME:
            raise _unreadable(Fault.TEXT_TOO_LONG, self.path)

    def _attribute(self, name: str) -> str:
        """The member of an attribute; "" where it is a remark of XML Schema."""
        self._bounded(name)
        key = self.attributes[name] = "" if name in _REMARKS else _member(self.markup, name)
        return key


@lru_cache(maxsize=1024)  # names of at most `_MAX_NAME`; a document has a hundred, and the next has the same
def _step(markup: Markup, tag: str) -> str:
    return markup.element(*_parted(tag))


@lru_cache(maxsize=1024)  # as above
def _member(markup: Markup, name: str) -> str:
    return markup.attribute(*_parted(name))


def _parted(name: str) -> tuple[str, str]:
    """The namespace of a name and its local part, from `{namespace}local`."""
    namespace, brace, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
    return (namespace, local) if brace else ("", name)


def _in_utf8(body: bytes) -> bytes:
    """The document in UTF-8, from the charset it declares; without a declaration or a mark it is UTF-8."""
    mark, charset = next(((mark, name) for mark, name in _BOMS if body.startswith(mark)), (b"", ""))
    bare = body.removeprefix(mark)
    charset = charset or next((name for start, name in _WIDE_STARTS if body.startswith(start)), "")
    head = bare[: _MAX_DECLARATION * 2].decode(charset or "latin-1", "replace")
    found = _DECLARED.match(head)
    declared = found[1].lower() if found else ""
    if charset in _WIDE_NAMES:
        fits = declared in ("", *_WIDE_NAMES[charset])
    else:
        fits = _CHARSETS.get(declared or "utf-8") in ({charset} if charset else _CHARSETS.values())
        charset = _CHARSETS.get(declared or "utf-8", "")
    if not fits:
        raise _unreadable(Fault.WRONG_CHARSET)
    try:
        text = bare.decode(charset)
    except UnicodeDecodeError as exc:
        cut = exc.end == len(bare) and exc.reason in {"unexpected end of data", "truncated data"}
        raise _unreadable(Fault.TRUNCATED if cut else Fault.WRONG_CHARSET) from None
    if "\0" in text:
        raise _unreadable(Fault.NUL_CHARACTER)
    if charset == "latin-1" and _C1.search(text):  # control characters that nobody writes: it is windows-1252
        raise _unreadable(Fault.WRONG_CHARSET)
    return bare if charset == "utf-8" else text.encode()


def _fault(code: int, document: bytes) -> Fault:
    """What an error is called; one before the end of a document that has no end is that it was cut short."""
    from lxml.etree import ErrorTypes as Error  # noqa: PLC0415 - as above

    if code in (Error.ERR_ATTRIBUTE_REDEFINED, Error.NS_ERR_ATTRIBUTE_REDEFINED):
        return Fault.DUPLICATE_KEY
    said = document.strip()
    begun = not said or (said.startswith(b"<") and code != Error.ERR_DOCUMENT_END)
    cut = code in (Error.ERR_DOCUMENT_EMPTY, Error.ERR_TAG_NOT_FINISHED) or not said.endswith(b">")
    return Fault.TRUNCATED if begun and cut else Fault.MALFORMED


def _unreadable(fault: Fault, path: Trail = "") -> Unreadable:
    return Unreadable(Problem(rendered(path), fault))
