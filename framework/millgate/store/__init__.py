"""Owns where bytes live and how they move: layout, file calls, snapshots, views, reading and
writing. Never decides what may enter production."""
