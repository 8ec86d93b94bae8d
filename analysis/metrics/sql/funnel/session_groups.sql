-- The events with the groups of their sessions.
SELECT
    events.visitor,
    events.event_name,
    events.event_timestamp,
    events.tie_order,
    events.microseconds,
    COALESCE(session_groups."group", 'unknown') AS "group"
FROM events
LEFT JOIN session_groups USING (session_id)
