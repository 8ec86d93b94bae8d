SELECT
    CASE CAST($grain AS TEXT) WHEN 'hour' THEN hour_start ELSE day_start END AS period,
    currency,
    COUNT(*) AS orders,
    SUM(total) AS revenue
FROM first_orders
INNER JOIN local_events USING (event_id)
GROUP BY 1, currency
ORDER BY period, currency
