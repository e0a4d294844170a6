"""The road of a message, from the bytes of a frame to its acknowledgements.

What is answered AA was committed before: the message with its answer, what became of it, and the entry (P1, P2). AE is
for the sender to correct; what may be safeguarding is then kept for a named human as well (P6). AR says that it is
never taken, or not now: nothing of it is kept. Every message is answered, whatever comes of it.

Source: domain.md section 2.9; HL7 v2.4 section 2.9.2 (processing rules).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, assert_never

import orjson

from adapters.mllp import TooLong
from adapters.nhs import hl7v2
from adapters.nhs.hl7v2 import Batch, Finding, Level, Message, Purpose, Said
from adapters.socket import Limits, Problem, Unreadable
from gateway.chance import fresh_id
from gateway.disclosure import Reader
from gateway.errors import Busy, Detail, GatewayError, NotPermitted, NotSealed, Unreachable
from gateway.evidence import OPERATOR_LOG, Caller
from gateway.intake import Submission
from gateway.logs import Line, say
from gateway.messages.keeping import Became, Given, RefuseMessage
from gateway.messaging import demographics, notices, replies
from gateway.messaging.arriving import Arriving
from gateway.messaging.lookups import Lookups
from gateway.nothing_given import Deny
from gateway.services import Services
from gateway.setting_aside import set_aside, told_of
from gateway.settings import Environment
from gateway.tokens.scopes import Scope
from gateway.under_agreement import decided, log_of

Code = Literal["AA", "AE", "AR"]
_LATER: Final = (Busy, NotSealed, Unreachable)
_CONTROL_ID: Final = 20  # characters: MSH-10 in version 2.4
_SAFEGUARDING: Final = frozenset({Purpose.NOTICE, Purpose.REPLY})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer that a message gets, and why."""

    code: Code
    problems: Sequence[Finding | Problem] = ()


class Receiver:
    """Takes what comes over MLLP. Safe to share between connections of one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._library = Reader(services.records, services.settings.public_url)
        self._lookups = Lookups(services.database)
        self._rules = hl7v2.rules()
        production = services.settings.environment is Environment.PRODUCTION
        self._processing = "P" if production else "T"
        chosen = services.limits
        self._limits = Limits(chosen.max_bytes, chosen.max_depth, chosen.max_elements, chosen.max_text)

    async def __call__(self, caller: Caller, one: bytes | TooLong) -> Sequence[bytes]:
        """The answers to what came in a frame: one message, or a batch of them, each answered by itself."""
        # 1. Who sends: a client that may, under one agreement. Of anybody else nothing is kept.
        if Scope.REFERRAL_WRITE not in caller.scopes or len(caller.agreements) != 1:
            return self._answers(None, one if isinstance(one, bytes) else b"", await self._denied(caller))

        # 2. A message too long to be held is gone: that it came is sealed, and its sender told.
        if isinstance(one, TooLong):
            return self._answers(None, b"", await self._too_long(caller))

        # 3. Cut a batch into its messages; one whose counts do not agree is whole in no part.
        try:
            batch = hl7v2.messages(one)
        except Unreadable as unreadable:
            return self._answers(None, one, await self._for_human(caller, one, unreadable))
        if any(finding.level is not Level.NOTED for finding in batch.findings):
            return await self._broken(caller, one, batch)
        answers: list[bytes] = []
        for raw in batch.messages:
            answers += await self._one(caller, raw)
        return answers

    async def _one(self, caller: Caller, raw: bytes) -> Sequence[bytes]:
        message: Message | None = None
        try:
            # 4. Read: every segment is kept, or the bytes are, for a human.
            try:
                message = hl7v2.read(raw, self._limits)
            except Unreadable as unreadable:
                return self._answers(None, raw, await self._for_human(caller, raw, unreadable))
            outcome = await self._judged(caller, raw, message)
        except _LATER:
            outcome = _NOT_NOW
        except Exception as error:  # noqa: BLE001 - whatever it was, the sender must not wait for ever nor believe it kept
            say(Line.MESSAGE_FAILED, request=caller.request or "", error=type(error).__name__)
            outcome = _NOT_NOW
        return self._answers(message, raw, outcome)

    async def _judged(self, caller: Caller, raw: bytes, message: Message) -> Outcome:
        # 5. Judge by the field rules. What is never taken is not kept, unless a person may have to see it.
        findings = hl7v2.judge(message, self._rules, processing=self._processing)
        answer = hl7v2.answer(findings)
        if answer == "AR":
            return await self._never(caller, raw, message, [one for one in findings if one.level is Level.REJECT])
        if answer == "AE":
            wrong = [one for one in findings if one.level is Level.ERROR]
            return await self._for_human(caller, raw, None, wrong)
        return await self._done(caller, raw, message)

    async def _done(self, caller: Caller, raw: bytes, message: Message) -> Outcome:
        # 6. Do what it is for, and keep it, in one unit; a repeat gets its answer again.
        try:
            given = await self._worked(caller, raw, message)
        except Unreadable as unreadable:
            return await self._for_human(caller, raw, unreadable)
        except _LATER:
            raise
        except GatewayError as refused:
            if isinstance(refused, NotPermitted):
                return Outcome("AR", (_said("MSH-3", Said.NOT_PERMITTED),))
            return await self._for_human(caller, raw, None, (), fault=_fault(refused))
        if given.became is not Became.CONFLICT:
            return Outcome("AA")
        return await self._for_human(caller, raw, None, (_said("MSH-10", Said.ID_USED),), fault="hl7-control-id")

    async def _never(self, caller: Caller, raw: bytes, message: Message, wrong: Sequence[Finding]) -> Outcome:
        """Refuse what is never taken; what may be safeguarding, and is no trial, is kept for a human."""
        trial = message.processing != "" and any(one.path == "MSH-11" for one in wrong)
        if self._may_be_safeguarding(message) and not trial:
            await self._for_human(caller, raw, None, wrong)
        else:
            await self._refused(caller, self._type(message), wrong[0].code.value)
        return Outcome("AR", wrong)

    async def _worked(self, caller: Caller, raw: bytes, message: Message) -> Given:
        purpose = self._rules.types[message.type]
        name = orjson.dumps([*message.sender, message.control_id]).decode()
        log_id = await log_of(self._services, caller)
        arriving = Arriving(self._services, self._library, self._lookups, caller, raw, message, name, log_id)

        async def attempt() -> Given:
            match purpose:
                case Purpose.DEMOGRAPHICS:
                    return await demographics.take(arriving)
                case Purpose.MERGE:
                    return await demographics.merge(arriving)
                case Purpose.NOTICE:
                    return await notices.take(arriving)
                case Purpose.REPLY:
                    return await replies.take(arriving)
                case Purpose.NOTHING:
                    return await arriving.keep(Became.NOTHING_TO_DO)
            assert_never(purpose)

        return await decided(self._services, caller, log_id, attempt)

    async def _broken(self, caller: Caller, raw: bytes, batch: Batch) -> Sequence[bytes]:
        """Answer every message of a batch that is not whole; the whole of it is kept for a human."""
        outcome = await self._for_human(caller, raw, None, batch.findings)
        answers: list[bytes] = []
        for one in batch.messages or (raw,):
            answers += self._answers(None, one, outcome)
        return answers

    async def _for_human(
        self,
        caller: Caller,
        raw: bytes,
        unreadable: Unreadable | None,
        findings: Sequence[Finding] = (),
        *,
        fault: str = "hl7-refused",
    ) -> Outcome:
        """Keep bytes for a named human, seal that, and say what is wrong. Where that fails, the sender keeps them."""
        try:
            submission = Submission(caller, raw, notices.MEDIA_TYPE, None, await log_of(self._services, caller))
            if unreadable is not None:
                await set_aside(self._services, submission, *told_of(unreadable))
                return Outcome("AE", unreadable.problems)
            details = [Detail(one.path, one.code.value, one.words) for one in findings]
            await set_aside(self._services, submission, fault, "the message cannot be taken as it is", details)
        except _LATER:
            return _NOT_NOW
        return Outcome("AE", findings or (_said("", Said.FOR_A_PERSON),))

    async def _denied(self, caller: Caller) -> Outcome:
        log_id = next(iter(caller.agreements)) if len(caller.agreements) == 1 else OPERATOR_LOG
        try:
            await self._services.journals.of(log_id).submit(Deny(caller, "scope"))
        except _LATER:
            return _NOT_NOW
        return Outcome("AR", (_said("MSH-3", Said.NOT_PERMITTED),))

    async def _too_long(self, caller: Caller) -> Outcome:
        try:
            await self._refused(caller, "other", Said.TOO_LONG.value)
        except _LATER:
            return _NOT_NOW
        return Outcome("AE", (_said("", Said.TOO_LONG),))

    async def _refused(self, caller: Caller, type_: str, reason: str) -> None:
        """Seal that a message was refused; nothing of it is kept."""
        log_id = await log_of(self._services, caller)
        await self._services.journals.of(log_id).submit(RefuseMessage(caller, type_, reason))

    def _may_be_safeguarding(self, message: Message) -> bool:
        code = message.type.partition("^")[0]
        purposes = (what for name, what in self._rules.types.items() if name.startswith(f"{code}^"))
        return not code or not _SAFEGUARDING.isdisjoint(purposes)

    def _type(self, message: Message) -> str:
        """The type as it may be sealed: one there is a rule for, or that it is another."""
        return message.type if message.type in self._rules.types else "other"

    @staticmethod
    def _answers(message: Message | None, raw: bytes, outcome: Outcome) -> list[bytes]:
        now = datetime.now(UTC)
        return [
            hl7v2.ack(message, raw, code, outcome.problems, fresh_id().replace("-", "")[:_CONTROL_ID], now)
            for code in hl7v2.answers(message, outcome.code)
        ]


def _said(path: str, what: Said) -> Finding:
    return Finding(path, what, Level.ERROR)


_NOT_NOW: Final = Outcome("AR", (_said("", Said.NOT_NOW),))


def _fault(refused: GatewayError) -> str:
    """The code under which a refusal waits for a human."""
    return f"hl7-{type(refused).__name__.lower()}"
