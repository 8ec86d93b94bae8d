-- Every event of a step begins an attempt: how many of the steps occur from there to the window's end.
-- Work grows with events × steps.
SELECT
    visitor,
    "group",
    COUNT(*) AS step
FROM (
    SELECT
        funnel_events.visitor,
        funnel_events."group",
        funnel_events.position,
        funnel_events.microseconds + CAST($window AS BIGINT) * 1000000 AS ends,
        MIN(CASE WHEN funnel_events.step = funnel_steps.step THEN funnel_events.microseconds END) OVER (
            PARTITION BY funnel_events.visitor, funnel_steps.step
            ORDER BY funnel_events.position DESC
            ROWS UNBOUNDED PRECEDING
        ) AS occurs
    FROM funnel_events
    CROSS JOIN funnel_steps
) AS attempted
WHERE occurs <= ends
GROUP BY visitor, "group", position
