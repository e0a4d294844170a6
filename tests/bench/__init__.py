"""Benchmarks: what the gateway does a second, beside floors measured in the same run. Not timed tests."""
