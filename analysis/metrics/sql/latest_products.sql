-- One row per product: its name, category and brand, each from the product's latest event that has one.
-- A product has few versions, so they are found first.
SELECT
    product_id,
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
FROM (
    SELECT DISTINCT ON (
        context_product_id, context_product_name, context_product_category, context_product_brand
    )
        context_product_id AS product_id,
        context_product_name,
        context_product_category,
        context_product_brand,
        event_timestamp,
        tie_order
    FROM events
    WHERE context_product_id IS NOT NULL
    ORDER BY
        context_product_id,
        context_product_name,
        context_product_category,
        context_product_brand,
        event_timestamp DESC,
        tie_order DESC
) AS versions
GROUP BY product_id
