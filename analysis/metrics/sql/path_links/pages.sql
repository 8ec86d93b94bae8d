-- The page at which each event of a session happened, without automatic clicks.
SELECT
    session_id,
    event_timestamp,
    tie_order,
    page_path AS node
FROM events
WHERE session_id IS NOT NULL AND page_path IS NOT NULL AND event_name <> 'click'
