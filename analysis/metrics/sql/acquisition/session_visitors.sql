-- The visitors of each session, and whether they complete a checkout in it.
SELECT
    session_id,
    visitor,
    BOOL_OR(event_name = 'checkout_complete') AS is_buying
FROM events
WHERE session_id IS NOT NULL
GROUP BY session_id, visitor
