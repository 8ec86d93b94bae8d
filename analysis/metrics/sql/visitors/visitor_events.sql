-- A page of one visitor's events, the earliest first.
SELECT *
FROM listed_events
WHERE
    visitor = CAST($visitor AS TEXT)
    AND (
        CAST($after_time AS TIMESTAMPTZ) IS NULL
        OR event_timestamp > CAST($after_time AS TIMESTAMPTZ)
        OR (
            event_timestamp = CAST($after_time AS TIMESTAMPTZ)
            AND tie_order > (
                SELECT tie_order
                FROM listed_events
                WHERE event_timestamp = CAST($after_time AS TIMESTAMPTZ) AND event_id = CAST($after_event AS TEXT)
            )
        )
    )
ORDER BY event_timestamp, tie_order
LIMIT CAST($limit AS BIGINT)
