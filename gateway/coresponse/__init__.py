"""Co-response: a contact at the scene and the police record of it, whichever comes first.

    contact     what an adviser at the scene records, and the names under which it waits for its record
    meeting     which referral a contact was about, and what the referral shows of it from then on
    recording   the units that keep a contact, join it where that is plain, and tell it in detail later
    unjoined    the units for what no record has joined: a human joins or closes it, or it is looked for and erased

The road that a caller walks through them is `gateway.scene_contacts`.

Source: domain.md sections 0a (co-response), 4.1 (step 2).
"""
