"""Decides what to do and why: graph, selection, key ranges, fingerprints, planner. Pure: never
opens a file, a database or a clock."""
