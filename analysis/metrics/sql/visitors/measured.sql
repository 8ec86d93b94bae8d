-- One row per visitor.
SELECT
    visitor AS visitor_key,
    CASE WHEN MIN(client_id) IS NULL THEN 'user' ELSE 'client' END AS visitor_kind,
    MIN(COALESCE(client_id, user_id)) AS visitor,
    MIN(event_timestamp) AS first_event,
    MAX(event_timestamp) AS last_event,
    COUNT(*) AS events,
    COUNT(DISTINCT session_id) AS sessions,
    COUNT(*) FILTER (WHERE event_name = 'checkout_complete') AS checkout_completes
FROM events
WHERE visitor IS NOT NULL
GROUP BY visitor
