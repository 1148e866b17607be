"""The calendar of the demo: the days and months of 2013, as they passed in New York."""

from millgate import Daily, Monthly

days = Daily("2013-01-01", end="2013-12-31", tz="America/New_York")
months = Monthly("2013-01", end="2013-12", tz="America/New_York")
