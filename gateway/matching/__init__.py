"""Whether two descriptions are of one person: pure comparison and judgement, and the index that finds candidates.

    traits.py        what of a person is compared, in its normal form
    comparisons.py   how far two people agree, field by field, as named levels
    model.py         the weight of each level (weights.json), and the bands: auto link, human review, none
    blocks.py        the keys under which a candidate is found
    index.py         the rows: blind keys, and traits encrypted under the record's own data key

A link says that two events may concern one person. Nothing is ever merged (domain.md section 4.5, N9).

Source: Fellegi and Sunter (1969), A Theory for Record Linkage; domain.md section 4.7.
"""
