WITH sold AS (
    SELECT
        currency,
        product_id,
        product_name,
        category,
        COUNT(DISTINCT order_id) AS orders,
        COUNT(DISTINCT visitor) AS buyers,
        CAST(SUM(quantity) AS BIGINT) AS items,
        SUM(revenue) AS revenue,
        COUNT(*) FILTER (WHERE revenue IS NULL) AS lines_without_revenue
    FROM sold_items
    GROUP BY currency, product_id, product_name, category
),
ranked AS (
    SELECT
        *,
        ROW_NUMBER() OVER (PARTITION BY currency ORDER BY revenue DESC NULLS LAST, product_id) AS place
    FROM sold
)
SELECT
    currency,
    product_id,
    product_name,
    category,
    orders,
    buyers,
    items,
    revenue,
    lines_without_revenue
FROM ranked
WHERE CAST($limit AS BIGINT) IS NULL OR place <= CAST($limit AS BIGINT)
ORDER BY currency, place
