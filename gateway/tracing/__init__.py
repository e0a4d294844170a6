"""Finding the NHS number of a victim at PDS: when it may be asked, what is asked, and who decides on the answer.

    sign_in.py   a signed statement for a token, kept until shortly before it ends
    client.py    one search over HTTP, bounded in time and size, sent again under the same request id
    asking.py    two passes, so that a restricted patient is found as well
    bands.py     whether the patient who was found is the one who was meant
    planning.py  whom to look for, once for each version that changes the question
    steps.py     what is kept and sealed of each step
    tracer.py    the rounds: plan, decide, seal, ask, settle
    overdue.py   what waited for a person for too long (what she says is for `gateway.trace_reviews`)

A referral never waits for its trace. The number stays on the NHS side (N5), and nothing PDS says of where somebody
lives is ever written to a record.

Source: domain.md sections 2.1, 2.6, 2.7, 4.5 (N5), 4.7.
"""
