-- The visitors, with their orders. Different currencies are not added.
SELECT
    visitors.*,
    COALESCE(ordered.orders, 0) AS orders,
    ordered.currency,
    ordered.revenue
FROM visitors
LEFT JOIN (
    SELECT
        visitor,
        COUNT(*) AS orders,
        CASE WHEN COUNT(DISTINCT currency) = 1 THEN MIN(currency) END AS currency,
        CASE WHEN COUNT(DISTINCT currency) = 1 THEN SUM(total) END AS revenue
    FROM first_orders
    WHERE visitor IS NOT NULL
    GROUP BY visitor
) AS ordered ON ordered.visitor = visitors.visitor_key
