"""Turns pandera schemas into rules and data into a judgement. Never moves data and never knows
where it lives."""
