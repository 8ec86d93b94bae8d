-- From each event of a step to the visitor's earliest later event of the next step.
-- An event of step k stands twice: in link k as where it starts, in link k - 1 as where it may lead.
WITH linked AS (
    SELECT
        visitor,
        "group",
        position,
        microseconds,
        step,
        is_start,
        CASE WHEN is_start THEN step ELSE step - 1 END AS link
    FROM funnel_events
    CROSS JOIN (VALUES (TRUE), (FALSE)) AS ends (is_start)
),
followed AS (
    SELECT
        *,
        MIN(CASE WHEN NOT is_start THEN position END) OVER later AS next_position,
        MIN(CASE WHEN NOT is_start THEN microseconds END) OVER later AS next_microseconds
    FROM linked
    WINDOW later AS (PARTITION BY visitor, link ORDER BY position DESC ROWS UNBOUNDED PRECEDING)
)
SELECT
    visitor,
    "group",
    position,
    microseconds,
    step,
    next_position,
    next_microseconds
FROM followed
WHERE is_start
