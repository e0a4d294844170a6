"""Finding the NHS numbers of a victim and her children at PDS: when it may be asked, what, and who decides on it.

    sign_in.py   a signed statement for a token, kept until shortly before it ends
    client.py    one search over HTTP, bounded in time and size, sent again under the same request id
    asking.py    two passes, so that a restricted patient is found as well
    bands.py     whether the patient who was found is the one who was meant
    planning.py  whom to look for, once for each version that changes the question
    children.py  whether a child may be looked for at all
    turns.py     whose turn it is
    steps.py     what is kept and sealed of each step
    noting.py    what every referral says of it
    said.py      what a case says of its children's
    tracer.py    the rounds: plan, decide, seal, ask, settle
    overdue.py   what waited for a person for too long (what she says is for `gateway.trace_reviews`)

A referral never waits for its trace. The number stays on the NHS side (N5), and nothing PDS says of where somebody
lives is ever written to a record. A child is a patient of its own: asked for apart, sealed apart, decided on apart.

Source: domain.md sections 2.1, 2.3, 2.6, 2.7, 4.5 (N5), 4.7.
"""
