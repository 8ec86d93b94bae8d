-- Events by the session that the publisher named; the visitor is that of a session's first event.
SELECT
    session_id,
    FIRST_VALUE(COALESCE(client_id, user_id)) OVER in_session AS visitor,
    CAST(NULL AS TEXT) AS visitor_key,
    CAST(NULL AS BIGINT) AS number,
    event_name,
    event_timestamp,
    microseconds,
    is_view
FROM events
WHERE session_id IS NOT NULL
WINDOW in_session AS (PARTITION BY session_id ORDER BY event_timestamp, event_id)
