"""Pushing coded feedback to a force that asked for it: signed, sealed before the first byte, at least once, never lost.

    endpoints   who is pushed to, registered by the operator
    address     which addresses a push may go to, resolved once and pinned
    signing     HTTP Message Signatures (RFC 9421) over Content-Digest (RFC 9530)
    posting     one POST, and whether to try again
    folder      its twin for development: the signed request as a file
    deliveries  what is to be pushed, leased, sealed, settled
    courier     rounds: to each endpoint one word after the other

What is pushed can be pulled as well, and is acknowledged by a 2xx. Nothing goes that a pull would not give.

Source: domain.md sections 1.1 (six tries, then a human), 4.3 (what may be said).
"""
