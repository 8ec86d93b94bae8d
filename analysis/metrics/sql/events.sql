-- The events in the range and of the login state, with the columns that all metrics share.
-- Text is ordered by its code points, whatever the database's own collation is.
SELECT
    /* columns of the contract */,
    -- The order of events with the same time. An engine that knows a better one puts it here.
    event_id AS tie_order,
    -- A client and a user with the same id are two visitors.
    COALESCE('client ' || client_id, 'user ' || user_id) COLLATE "C" AS visitor,
    CASE is_first_visit WHEN TRUE THEN 'new' WHEN FALSE THEN 'returning' ELSE 'unknown' END AS visitor_type,
    event_name IN ('page_view', 'home_view', 'category_view', 'product_view') AS is_view,
    -- Whole microseconds since 1970, because both engines subtract, add and halve whole numbers without rounding.
    CAST(ROUND(EXTRACT(EPOCH FROM event_timestamp) * 1000000) AS BIGINT) AS microseconds
FROM public.clickstream_events
WHERE
    event_timestamp >= CAST($start AS TIMESTAMPTZ)
    AND event_timestamp < CAST($end AS TIMESTAMPTZ)
    AND (CAST($login_state AS TEXT) IS NULL OR user_login_state = CAST($login_state AS TEXT))
