WITH priced AS (
    SELECT
        event_name,
        COALESCE(context_product_discount_price < context_product_price, FALSE) AS is_discounted
    FROM events
    WHERE event_name IN ('product_view', 'add_to_cart_click') AND context_product_price IS NOT NULL
)
SELECT
    is_discounted,
    COUNT(*) FILTER (WHERE event_name = 'product_view') AS views,
    COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS adds,
    CAST(COUNT(*) FILTER (WHERE event_name = 'add_to_cart_click') AS DOUBLE PRECISION)
        / NULLIF(COUNT(*) FILTER (WHERE event_name = 'product_view'), 0) AS add_rate
FROM priced
GROUP BY is_discounted
ORDER BY is_discounted
