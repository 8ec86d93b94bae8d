SELECT
    currency,
    COUNT(*) AS orders,
    SUM(total) AS revenue,
    CAST(SUM(total) AS DOUBLE PRECISION) / NULLIF(COUNT(total), 0) AS average_order_value,
    CAST(SUM(items) AS BIGINT) AS items,
    COUNT(*) FILTER (WHERE total IS NULL) AS orders_without_total
FROM first_orders
GROUP BY currency
ORDER BY currency
