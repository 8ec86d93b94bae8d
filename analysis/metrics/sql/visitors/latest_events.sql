-- A page of the events, the latest first.
SELECT *
FROM listed_events
WHERE
    CAST($before_time AS TIMESTAMPTZ) IS NULL
    OR event_timestamp < CAST($before_time AS TIMESTAMPTZ)
    OR (
        event_timestamp = CAST($before_time AS TIMESTAMPTZ)
        AND tie_order < (
            SELECT tie_order
            FROM listed_events
            WHERE event_timestamp = CAST($before_time AS TIMESTAMPTZ) AND event_id = CAST($before_event AS TEXT)
        )
    )
ORDER BY event_timestamp DESC, tie_order DESC
LIMIT CAST($limit AS BIGINT)
