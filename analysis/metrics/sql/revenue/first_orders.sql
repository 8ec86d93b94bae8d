-- One row per order id: the first one received. `orders` comes from the `order` members of the events.
SELECT DISTINCT ON (order_id)
    order_id,
    event_id,
    event_timestamp,
    COALESCE(currency, 'unknown') AS currency,
    total,
    items
FROM events
INNER JOIN orders USING (event_id)
WHERE event_name = 'checkout_complete'
ORDER BY order_id, event_timestamp, event_id
