-- From each event of a step to the visitor's very next event, where that is one of the next step.
SELECT
    visitor,
    "group",
    position,
    microseconds,
    step,
    CASE WHEN LEAD(step) OVER following = step + 1 THEN position + 1 END AS next_position,
    CASE WHEN LEAD(step) OVER following = step + 1 THEN LEAD(microseconds) OVER following END AS next_microseconds
FROM funnel_events
WINDOW following AS (PARTITION BY visitor ORDER BY position)
