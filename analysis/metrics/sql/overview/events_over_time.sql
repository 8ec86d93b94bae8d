SELECT
    date_trunc(CAST($grain AS TEXT), event_timestamp AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS period,
    COUNT(*) AS events,
    COUNT(DISTINCT visitor) AS visitors,
    COUNT(DISTINCT session_id) AS sessions
FROM events
GROUP BY 1
ORDER BY period
