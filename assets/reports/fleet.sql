-- What each plane flew out of New York in the year, and which plane it is.
-- Tail numbers that the register does not know, or knows wrongly, have no model.
-- gate: Gate(reports.tables.Fleet)
-- owner: "network-planning"
-- tags: ["fleet"]

SELECT
    tailnum,
    count(DISTINCT carrier) AS carriers,
    count(*) AS flights,
    sum(distance)::BIGINT AS miles,
    sum(air_time) / 60 AS hours_in_the_air,
    manufacturer,
    model,
    seats
FROM flights
LEFT JOIN planes USING (tailnum)
GROUP BY tailnum, manufacturer, model, seats
ORDER BY tailnum
