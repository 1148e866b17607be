"""Remembers: the catalog's tables, how they are filled and how they are asked. Never opens data
files."""
