SELECT
    COALESCE(context_product_category, 'unknown') AS category,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE event_name = 'product_view') AS product_views,
    COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS add_to_cart_clicks
FROM events
WHERE context_product_category IS NOT NULL OR CAST($unknown AS BOOLEAN)
GROUP BY 1
ORDER BY events DESC, category
LIMIT CAST($limit AS BIGINT)
