"""Victim information requests: police ask a hospital for a victim's information, and a person answers item by item.

    request     what a request says, and what makes it a blanket one
    asking      it is kept and put before the hospital, or refused
    answering   the hospital's people see it, and answer each item: released, refused, not held
    reading     police read the answers after a cursor; each is decided again, minimised and sealed

Nothing is ever answered by itself, and nothing of an adviser's notes can be searched: police see what a person
released, as far as the agreement's clauses release it, and nothing else.

Source: Victims and Prisoners Act 2024 s.28 (PCSC Act 2022 ss.44A to 44E); domain.md section 3.6.
"""

VICTIM_INFORMATION = "victim-information-request"
"""The purpose of the flow that such a request asks under."""
