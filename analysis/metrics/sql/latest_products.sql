-- One row per product: its name, category and brand, each from the product's latest event that has one.
SELECT
    context_product_id AS product_id,
    (
        ARRAY_AGG(context_product_name ORDER BY event_timestamp DESC, tie_order DESC)
        FILTER (WHERE context_product_name IS NOT NULL)
    )[1] AS product_name,
    (
        ARRAY_AGG(context_product_category ORDER BY event_timestamp DESC, tie_order DESC)
        FILTER (WHERE context_product_category IS NOT NULL)
    )[1] AS category,
    (
        ARRAY_AGG(context_product_brand ORDER BY event_timestamp DESC, tie_order DESC)
        FILTER (WHERE context_product_brand IS NOT NULL)
    )[1] AS brand
FROM events
WHERE context_product_id IS NOT NULL
GROUP BY context_product_id
