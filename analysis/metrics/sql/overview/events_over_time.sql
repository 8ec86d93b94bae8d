SELECT
    period,
    COUNT(*) AS events,
    COUNT(DISTINCT visitor) AS visitors,
    COUNT(DISTINCT session_id) AS sessions
FROM local_events
GROUP BY period
ORDER BY period
