"""Delivering referrals to the systems of teams: decided and sealed before the first byte, never lost, never twice.

    channel     what carries a referral to one kind of system: the socket every channel fits
    fault       why one did not arrive, and whether to try again
    policy      how long to wait, and when to give up
    circuit     when an endpoint that fails is left alone
    endpoints   which systems are delivered to, registered by the operator
    content     a referral as it may go to an endpoint at this instant
    files       a file that is there whole or not at all, for the twins of what is sent
    letters     the bytes of a delivery, kept encrypted until they are acknowledged
    leases      what waits in a queue, and whose it is
    deliveries  what waits, and in what order
    turn        what is to be done with a delivery whose turn has come
    begin       lease one, decide again, seal the intention
    finish      settle a try: it arrived, or it did not
    handing     what did not arrive is put in front of a human
    rounds      endpoints served side by side, each by a thread of its own
    courier     one delivery after the other to one endpoint
    page        the operator's view

What waits is noted by the transaction that makes or changes a referral (`gateway.store.waiting_deliveries`). Channels
live beside (`gateway.channels` lists them): nothing here knows a format.

Source: domain.md section 1.1 (six tries, then a human); design.md section 8.
"""
