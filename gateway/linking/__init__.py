"""Who of an event is who of others: found by the clock, linked or put to a person, and taken back where it was wrong.

    looking      the road: what waits is compared, candidates are found and judged; reads only
    making       the unit that makes true what was found: links, reviews with a clock, the entries
    undoing      the unit of a person who says that two who are linked are two, and the corrections that follow
    unreviewed   the unit that seals, once, that nobody decided a match in time
    neighbours   whom links bring together, the referrals that say so, and those that said it and were wrong
    found        the rows: a match and what became of it, a link both ways

A link says that two events may concern one person; nothing is merged, and what a person said outlasts every look.

Source: domain.md sections 4.1 (steps 5 and 13), 4.5 (N9, N14), 4.7; DPA 2018 s.62(1) (combination is logged).
"""
