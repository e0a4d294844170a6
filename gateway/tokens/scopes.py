"""The scopes a client can hold: a closed set, each with the words an operator reads when granting it.

A scope opens an interface; what leaves through it is for the agreement to say. Form: RFC 6749 section 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Scope(StrEnum):
    """Every scope there is."""

    INCIDENT_WRITE = "police:incident.write"
    FEEDBACK_READ = "police:feedback.read"
    REFERRAL_READ = "health:referral.read"
    REFERRAL_WRITE = "health:referral.write"
    NOTICE_WRITE = "health:notice.write"
    NOTICE_READ = "police:notice.read"
    INFORMATION_REQUEST = "police:information.request"
    INFORMATION_ANSWER = "health:information.answer"
    EVALUATION_READ = "evaluation:read"
    GOVERNANCE_REVIEW = "governance:review"
    AGREEMENT_READ = "agreement:read"
    AGREEMENT_MANAGE = "agreement:manage"
    LOG_READ = "audit:log.read"
    PACK_EXPORT = "audit:pack.export"
    LOG_WITNESS = "audit:log.witness"


WORDS: Mapping[Scope, str] = {
    Scope.INCIDENT_WRITE: "send incidents, updates and corrections",
    Scope.FEEDBACK_READ: "read what became of its incidents, and read and acknowledge feedback",
    Scope.REFERRAL_READ: "read the worklist and the referrals made to it",
    Scope.REFERRAL_WRITE: "accept, change and close the referrals made to it",
    Scope.NOTICE_WRITE: "send safeguarding notices of a hospital",
    Scope.NOTICE_READ: "read and acknowledge the notices that hospitals send",
    Scope.INFORMATION_REQUEST: "ask a hospital for a victim's information, item by item, and read the answers",
    Scope.INFORMATION_ANSWER: "see what police ask of the hospital, and answer it item by item",
    Scope.EVALUATION_READ: "make the evaluation's report: counts, with small numbers hidden",
    Scope.GOVERNANCE_REVIEW: "decide what waits for a human, review overrides and emergencies, see what is outstanding",
    Scope.AGREEMENT_READ: "read its agreements, compare their versions, and have decisions explained",
    Scope.AGREEMENT_MANAGE: "draft and sign its agreements, bring them into force, suspend and end them",
    Scope.LOG_READ: "read the audit log, and introspect the tokens of other clients",
    Scope.PACK_EXPORT: "export an auditor's pack",
    Scope.LOG_WITNESS: "fetch checkpoints and consistency proofs, and hand in cosignatures",
}


def joined(scopes: frozenset[str]) -> str:
    """The scopes as one `scope` value, sorted, so that the same grant always reads the same."""
    return " ".join(sorted(scopes))
