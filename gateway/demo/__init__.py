"""The road walked once, for a visitor: synthetic incidents, small clients that speak real HTTP, and the walk itself.

Everybody here is made up; telephone numbers and postcodes are those reserved for fiction. Nothing in this package is
used when the gateway serves.
"""
