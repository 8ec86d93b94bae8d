SELECT
    event_timestamp,
    CAST(event_id AS TEXT) AS event_id,
    event_name,
    context_product_id AS product_id,
    context_product_name AS product_name,
    context_product_category AS category,
    context_product_brand AS brand,
    context_product_price AS price,
    context_product_discount_price AS discount_price
FROM events
WHERE context_product_id IS NOT NULL
ORDER BY event_timestamp DESC, tie_order DESC
LIMIT CAST($limit AS BIGINT)
