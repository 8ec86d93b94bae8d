-- A page of the chosen visitors.
SELECT *
FROM chosen_visitors
WHERE
    CAST($after_time AS TIMESTAMPTZ) IS NULL
    OR last_event < CAST($after_time AS TIMESTAMPTZ)
    OR (
        last_event = CAST($after_time AS TIMESTAMPTZ)
        AND (
            visitor_kind > CAST($after_kind AS TEXT)
            OR (visitor_kind = CAST($after_kind AS TEXT) AND visitor > CAST($after_visitor AS TEXT))
        )
    )
ORDER BY last_event DESC, visitor_kind, visitor
LIMIT CAST($limit AS BIGINT)
