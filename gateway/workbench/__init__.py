"""The integrator's workbench: check a profile, try it on a sample, draft one from a sample, compare two over samples.

It works on the integrator's own machine with files alone: no database, no keys, nothing sealed, nothing sent.
"""
