"""Turns what users write (the decorator, .sql files, modules of assets/) into the model. Never
plans, reads data or touches the warehouse."""
