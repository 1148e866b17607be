-- Departures and delays of a day, by airport and carrier.
-- Late is 15 minutes or more after schedule, as the Department of Transportation counts.
-- partitions: calendar.days
-- gate: Gate(reports.tables.DailyDelays)
-- owner: "operations"
-- tags: ["delays", "daily"]

SELECT
    date,
    origin,
    carrier,
    count(*) AS departures,
    count(*) FILTER (arr_delay IS NULL) AS diverted,
    count(*) FILTER (dep_delay >= 15) AS late_departures,
    count(*) FILTER (arr_delay >= 15) AS late_arrivals,
    sum(dep_delay)::BIGINT AS dep_delay_minutes,
    sum(arr_delay)::BIGINT AS arr_delay_minutes,
    avg(dep_delay) AS mean_dep_delay
FROM flights
GROUP BY date, origin, carrier
ORDER BY origin, carrier
