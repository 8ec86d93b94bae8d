SELECT
    CASE CAST($grain AS TEXT) WHEN 'hour' THEN hour_start ELSE day_start END AS period,
    COUNT(*) AS events,
    COUNT(DISTINCT visitor) AS visitors,
    COUNT(DISTINCT session_id) AS sessions
FROM local_events
GROUP BY 1
ORDER BY period
