-- The names of the events of a session, without automatic clicks.
SELECT
    session_id,
    event_timestamp,
    tie_order,
    event_name AS node
FROM events
WHERE session_id IS NOT NULL AND event_name <> 'click'
