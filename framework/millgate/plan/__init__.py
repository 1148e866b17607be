"""Decides what to do and why: graph, selection, key ranges, fingerprints, planner. Pure: never
opens a database or a clock, and of files only the sources of the code it fingerprints."""
