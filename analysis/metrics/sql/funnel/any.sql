-- Every event of a step begins an attempt. One row per step that occurs from there to the end of the window.
-- The work grows with events × steps.
SELECT
    visitor,
    "group",
    ROW_NUMBER() OVER (PARTITION BY visitor, "group", position ORDER BY occurs) AS step,
    occurs - began AS took
FROM (
    SELECT
        funnel_events.visitor,
        funnel_events."group",
        funnel_events.position,
        funnel_events.microseconds AS began,
        MIN(CASE WHEN funnel_events.step = funnel_steps.step THEN funnel_events.microseconds END) OVER (
            PARTITION BY funnel_events.visitor, funnel_steps.step
            ORDER BY funnel_events.position DESC
            ROWS UNBOUNDED PRECEDING
        ) AS occurs
    FROM funnel_events
    CROSS JOIN funnel_steps
) AS attempted
WHERE occurs <= began + CAST($window AS BIGINT) * 1000000
