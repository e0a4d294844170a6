"""The judgement and the journey: agreement, decision, minimisation, storage, tokens, web and command line.

`journey.py` tells the road as numbered steps; a reader who has read it knows the product. This room sees every other;
none sees it.
"""
