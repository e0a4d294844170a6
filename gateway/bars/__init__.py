"""Referrals to a trust's BaRS endpoint, as messages, and what the trust answers.

    channel    a delivery is one message; the answer says whether it arrived
    answering  a servicerequest-response becomes a change of the referral it answers, by the road every change takes

What a message is, and what its errors mean, is `adapters.nhs.bars`. A hospital's own servicerequest-request is a
notice like any other (`gateway.hospital`).

Source: domain.md section 2.5.
"""
