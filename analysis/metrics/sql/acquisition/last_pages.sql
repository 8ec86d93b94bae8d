-- The page of each session's last event that has one.
SELECT DISTINCT ON (session_id)
    session_id,
    page_path AS value
FROM events
WHERE session_id IS NOT NULL AND page_path IS NOT NULL
ORDER BY session_id, event_timestamp DESC, tie_order DESC
