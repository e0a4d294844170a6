"""A team's open cases as people see them: the worklist, whose shift each falls to, and the list for downtime.

falling_due    by when the first clock of a case runs out, and whose turn that is
order          where a case stands on the list, and a page of it, by columns alone
by_shift       how many cases fall to each shift, each decided
reading        a page: found, decided, sealed, and only then given
downtime       what a team needs to go on by telephone while no page answers
"""
