-- The events of the steps, with their place among the visitor's, and with the steps before and after them.
-- A strict funnel also needs the events of other names; their `step` is NULL.
SELECT
    visitor,
    microseconds,
    step,
    "group",
    ROW_NUMBER() OVER of_visitor AS position,
    LAG(step) OVER of_visitor AS step_before,
    LEAD(step) OVER of_visitor AS step_after,
    LEAD("group") OVER of_visitor AS group_after
FROM (
    SELECT
        visitor,
        event_timestamp,
        tie_order,
        microseconds,
        step,
        "group"
    FROM funnel_groups
    LEFT JOIN funnel_steps USING (event_name)
    WHERE visitor IS NOT NULL AND (step IS NOT NULL OR CAST($order AS TEXT) = 'strict')
) AS named
WINDOW of_visitor AS (PARTITION BY visitor ORDER BY event_timestamp, tie_order)
