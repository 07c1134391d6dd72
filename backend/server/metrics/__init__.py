"""Counters that all workers share, and what is measured of a process."""
