"""Messages of NHS systems at rest: what is kept and sealed of each, and what one says of a person whose case is open.

    keeping   a message kept once, with its answer, in one unit with what became of it
    known     whom a message means: open referrals by verified or local numbers
    change    what a hospital knows otherwise than the record, held as a proposal that a person decides
    merging   numbers that a hospital says are one person's
    erasing   messages go when an input that nobody could use would go

No format is known here, and no socket: `gateway.messaging` reads messages, and walks them along this road.
"""
