-- A visitor is a client, or a user without a client: counting the two takes less time than counting `visitor`.
SELECT
    COUNT(*) AS events,
    COUNT(DISTINCT client_id) + COUNT(DISTINCT user_id) FILTER (WHERE client_id IS NULL) AS visitors,
    COUNT(DISTINCT client_id) AS clients,
    COUNT(DISTINCT user_id) AS users,
    COUNT(DISTINCT session_id) AS sessions,
    COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS add_to_cart_clicks,
    COUNT(*) FILTER (WHERE event_name = 'checkout_complete') AS checkout_completes,
    CAST(COUNT(*) FILTER (WHERE event_name = 'checkout_complete') AS DOUBLE PRECISION)
        / NULLIF(COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click'), 0) AS checkout_rate,
    CAST(COUNT(DISTINCT visitor) FILTER (WHERE event_name = 'checkout_complete') AS DOUBLE PRECISION)
        / NULLIF(COUNT(DISTINCT client_id) + COUNT(DISTINCT user_id) FILTER (WHERE client_id IS NULL), 0) AS visitor_conversion,
    CAST(COUNT(DISTINCT session_id) FILTER (WHERE event_name = 'checkout_complete') AS DOUBLE PRECISION)
        / NULLIF(COUNT(DISTINCT session_id), 0) AS session_conversion,
    MIN(event_timestamp) AS first_event,
    MAX(event_timestamp) AS last_event
FROM events
