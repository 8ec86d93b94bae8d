-- The items of each order, with the product's name and category. `order_items` comes from the `order` members.
SELECT
    currency,
    order_id,
    visitor,
    COALESCE(order_items.product_id, 'unknown') AS product_id,
    product_name,
    COALESCE(category, 'unknown') AS category,
    quantity,
    revenue
FROM first_orders
INNER JOIN order_items USING (event_id)
LEFT JOIN latest_products ON latest_products.product_id = order_items.product_id
