SELECT
    event_name,
    COUNT(*) AS events,
    COUNT(*) / CAST(SUM(COUNT(*)) OVER () AS DOUBLE PRECISION) AS share
FROM events
GROUP BY event_name
ORDER BY events DESC, event_name
