-- One row per session of `session_events`.
WITH measured AS (
    SELECT
        session_id,
        visitor,
        visitor_key,
        number,
        MIN(event_timestamp) AS started_at,
        MAX(event_timestamp) AS ended_at,
        MAX(microseconds) - MIN(microseconds) AS microseconds,
        COUNT(*) AS events,
        COUNT(*) FILTER (WHERE is_view) AS views,
        COUNT(*) FILTER (WHERE NOT is_view) AS interactions,
        BOOL_OR(event_name = 'add_to_cart_click') AS has_cart,
        BOOL_OR(event_name = 'checkout_start') AS has_checkout_start,
        BOOL_OR(event_name = 'checkout_complete') AS has_purchase
    FROM session_events
    GROUP BY session_id, visitor, visitor_key, number
)
SELECT
    session_id,
    visitor,
    number,
    started_at,
    ended_at,
    CAST(microseconds AS DOUBLE PRECISION) / 1000000 AS duration,
    events,
    views,
    interactions,
    views = 1 AND interactions = 0 AS is_bounce,
    microseconds > 10 * 1000000 OR has_purchase OR views >= 2 AS is_engaged,
    has_cart,
    has_checkout_start,
    has_purchase
FROM measured
ORDER BY started_at, session_id, visitor, visitor_key, number
