WITH followed AS (
    SELECT
        event_name AS from_event,
        LEAD(event_name) OVER (PARTITION BY session_id ORDER BY event_timestamp, tie_order) AS to_event
    FROM events
    WHERE session_id IS NOT NULL AND (CAST($clicks AS BOOLEAN) OR event_name <> 'click')
)
SELECT
    from_event,
    to_event,
    COUNT(*) AS transitions,
    COUNT(*) / CAST(SUM(COUNT(*)) OVER (PARTITION BY from_event) AS DOUBLE PRECISION) AS share
FROM followed
WHERE to_event IS NOT NULL
GROUP BY from_event, to_event
ORDER BY transitions DESC, from_event, to_event
LIMIT CAST($limit AS BIGINT)
