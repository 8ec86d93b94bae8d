SELECT
    period,
    currency,
    COUNT(*) AS orders,
    SUM(total) AS revenue
FROM first_orders
INNER JOIN local_events USING (event_id)
GROUP BY period, currency
ORDER BY period, currency
