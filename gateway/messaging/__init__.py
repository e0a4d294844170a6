"""HL7 v2 messages walk their road: read, judged, kept with what becomes of them, and answered.

    receiving     the numbered road: bytes of a frame in, acknowledgements out
    arriving      one message on it, with what it needs there
    lookups       whom messages mean, asked together for all that wait
    demographics  ADT: what a hospital knows of somebody whose case is open; merges
    notices       REF^I12, and ADT with a safeguarding code: a notice
    replies       RRI: the answer of a system to a referral it was delivered
    deciding      a team reads what is proposed for its case, and a person decides
    serving       the listener over open services

Source: design.md section 3; domain.md section 2.9.
"""
