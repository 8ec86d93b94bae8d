SELECT
    date_trunc(CAST($grain AS TEXT), event_timestamp AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS period,
    currency,
    COUNT(*) AS orders,
    SUM(total) AS revenue
FROM first_orders
GROUP BY 1, currency
ORDER BY period, currency
