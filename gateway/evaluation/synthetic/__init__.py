"""Synthetic years with a known truth: invented victims, what police would send of them, and what became of each.

    people      invented names, numbers and addresses, no two victims alike
    plan        how many of whom: the shares that were published, and each victim's story, by a seed
    truth       what a report must say of such a plan
    documents   a story's incidents as a force's record system pushes them
    outcomes    a story's outcomes as the acts an adviser records
    loading     all of it through the gateway's own interfaces

Nobody in it exists. It is for trying, showing and testing; nothing of the gateway needs it.

Source: domain.md sections 0a (1,664 victims, three quarters engaged, half supporting, 77 % safer), 1.9.
"""
