"""Whether it works: the figures by which Operation Provide was evaluated, counted from the gateway's own coded rows.

    period, coded, definitions   what is counted, of whom and when: pure, each figure with its words
    reading, counting            the rows a decision for the recipient `evaluation` lets be counted; tables of counts
    suppression                  what small numbers could tell is taken out before anybody sees a table
    edition                      what was counted once, kept, and given unchanged from then on
    report, making               the report, columns of an edition; made, sealed, then given
    sheets, charts               a report as tables in words, and as pictures
    files, measure               a page, a PDF and CSV; FHIR R4 Measures and MeasureReports
    synthetic                    two synthetic years of which the truth is known

Nobody is named here, and no record is opened: rows hold codes, areas and times.

Source: domain.md sections 0a, 1.9, 4.1 (step 15), 4.4 (evaluation column), 5.2 point 15.
"""
