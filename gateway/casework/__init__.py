"""The work on a case: what an adviser does, what may follow what, what police are told of it, and by when.

    states    the state machine of a referral
    codes     the closed lists
    acts      everything an adviser can do, as they say it
    rules     which act may follow which
    effects   what an act does: a step of the machine, words to police, what is kept
    timers    the clocks of a case
    replay    a case lived again, and what it would be without an act that was entered in error
    consents  what the victim said of sharing, and what it would be without one of it
    keeping   the rows: what happened, and the clocks
    reading   what happened so far
    rota      who is on call
    marac     the referral to a conference, prefilled

All but `keeping`, `reading` and `rota` are pure: no clock is asked, and nothing is kept or sealed.
"""

from gateway.casework.states import ACCEPTING, ACKNOWLEDGING, MOST_WORDS, NEXT_STATE, NEXT_STATUS, Step, Told, step

__all__ = [
    "ACCEPTING",
    "ACKNOWLEDGING",
    "MOST_WORDS",
    "NEXT_STATE",
    "NEXT_STATUS",
    "Step",
    "Told",
    "step",
]
