-- One row per order id whose first event is in the range. `orders` comes from the `order` members of the events.
SELECT DISTINCT ON (order_id)
    order_id,
    event_id,
    event_timestamp,
    session_id,
    visitor,
    COALESCE(currency, 'unknown') AS currency,
    total,
    items
FROM events
INNER JOIN orders USING (event_id)
WHERE
    event_name = 'checkout_complete'
    AND NOT EXISTS (
        SELECT 1
        FROM orders AS earlier
        WHERE
            earlier.order_id = orders.order_id
            AND earlier.placed_at < CAST($start AS TIMESTAMPTZ)
            AND (CAST($login_state AS TEXT) IS NULL OR earlier.login_state = CAST($login_state AS TEXT))
    )
ORDER BY order_id, event_timestamp, tie_order
