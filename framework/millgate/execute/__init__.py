"""Does a plan: observes sources, computes steps, has them judged, commits. The only stage that
knows the other four."""
