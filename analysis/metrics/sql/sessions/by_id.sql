-- Events by the session id that the publisher sent. A session's visitor is the visitor of its first event.
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
WINDOW in_session AS (PARTITION BY session_id ORDER BY event_timestamp, tie_order)
