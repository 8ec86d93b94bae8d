SELECT
    period,
    COUNT(*) AS events,
    COUNT(DISTINCT visitor) AS visitors,
    COUNT(DISTINCT session_id) AS sessions,
    COUNT(*) FILTER (WHERE is_view) AS views,
    COUNT(*) FILTER (WHERE event_name = 'product_view') AS product_views,
    COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS add_to_cart_clicks,
    COUNT(*) FILTER (WHERE event_name = 'checkout_complete') AS checkout_completes,
    CAST(COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS DOUBLE PRECISION)
        / NULLIF(COUNT(*) FILTER (WHERE event_name = 'product_view'), 0) AS add_rate,
    CAST(COUNT(DISTINCT visitor) FILTER (WHERE event_name = 'checkout_complete') AS DOUBLE PRECISION)
        / NULLIF(COUNT(DISTINCT visitor), 0) AS visitor_conversion
FROM local_events
GROUP BY period
ORDER BY period
