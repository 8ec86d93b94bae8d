SELECT
    context_product_brand AS brand,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE event_name = 'product_view') AS product_views,
    COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS add_to_cart_clicks
FROM events
WHERE context_product_brand IS NOT NULL
GROUP BY context_product_brand
ORDER BY events DESC, brand
LIMIT CAST($limit AS BIGINT)
