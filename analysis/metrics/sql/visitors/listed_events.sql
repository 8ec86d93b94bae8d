-- What lists of events show of an event.
SELECT
    event_timestamp,
    CAST(event_id AS TEXT) AS event_id,
    event_name,
    client_id,
    user_id,
    user_login_state,
    session_id,
    context_product_id AS product_id,
    context_product_name AS product_name,
    context_product_category AS category,
    context_product_brand AS brand,
    context_product_price AS price,
    context_product_discount_price AS discount_price,
    visitor,
    tie_order
FROM events
