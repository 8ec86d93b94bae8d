-- `place` grows away from the chosen node: forwards in time, or backwards.
WITH followed AS (
    SELECT
        *,
        LAG(node) OVER (PARTITION BY session_id ORDER BY event_timestamp, tie_order) AS node_before
    FROM path_nodes
),
numbered AS (
    SELECT
        session_id,
        node,
        ROW_NUMBER() OVER (PARTITION BY session_id ORDER BY event_timestamp, tie_order) AS position
    FROM followed
    WHERE node_before IS DISTINCT FROM node
),
placed AS (
    SELECT
        session_id,
        node,
        CASE CAST($direction AS TEXT) WHEN 'to' THEN -position ELSE position END AS place
    FROM numbered
),
begun AS (
    SELECT
        *,
        MIN(CASE WHEN CAST($node AS TEXT) IS NULL OR node = CAST($node AS TEXT) THEN place END) OVER (
            PARTITION BY session_id
        ) AS first_place
    FROM placed
),
linked AS (
    SELECT
        CAST(place - first_place + 1 AS BIGINT) AS step,
        node,
        LEAD(node) OVER (PARTITION BY session_id ORDER BY place) AS next_node
    FROM begun
    WHERE place >= first_place
),
counted AS (
    SELECT
        step,
        CASE CAST($direction AS TEXT) WHEN 'to' THEN next_node ELSE node END AS from_node,
        CASE CAST($direction AS TEXT) WHEN 'to' THEN node ELSE next_node END AS to_node,
        COUNT(*) AS sessions
    FROM linked
    WHERE step <= CAST($steps AS BIGINT)
    GROUP BY 1, 2, 3
),
ranked AS (
    SELECT
        *,
        ROW_NUMBER() OVER (
            PARTITION BY step ORDER BY sessions DESC, from_node NULLS LAST, to_node NULLS LAST
        ) AS number
    FROM counted
)
SELECT
    step,
    from_node,
    to_node,
    sessions
FROM ranked
WHERE CAST($limit AS BIGINT) IS NULL OR number <= CAST($limit AS BIGINT)
ORDER BY step, number
