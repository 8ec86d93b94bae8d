SELECT
    COALESCE(user_login_state, 'unknown') AS user_login_state,
    COUNT(*) AS events,
    COUNT(DISTINCT visitor) AS visitors,
    COUNT(DISTINCT session_id) AS sessions,
    COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS add_to_cart_clicks,
    COUNT(*) FILTER (WHERE event_name = 'checkout_complete') AS checkout_completes,
    CAST(COUNT(*) FILTER (WHERE event_name = 'checkout_complete') AS DOUBLE PRECISION)
        / NULLIF(COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click'), 0) AS checkout_rate,
    CAST(COUNT(DISTINCT visitor) FILTER (WHERE event_name = 'checkout_complete') AS DOUBLE PRECISION)
        / NULLIF(COUNT(DISTINCT visitor), 0) AS visitor_conversion,
    CAST(COUNT(DISTINCT session_id) FILTER (WHERE event_name = 'checkout_complete') AS DOUBLE PRECISION)
        / NULLIF(COUNT(DISTINCT session_id), 0) AS session_conversion
FROM events
GROUP BY 1
ORDER BY 1
