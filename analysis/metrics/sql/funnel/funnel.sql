-- Count the visitors who reach each step, from the steps that their attempts reach.
WITH furthest AS (
    SELECT
        "group",
        visitor,
        MAX(step) AS reached
    FROM funnel_attempts
    GROUP BY "group", visitor
),
tally AS (
    SELECT
        "group",
        reached,
        COUNT(*) AS visitors
    FROM furthest
    GROUP BY "group", reached
),
groups AS (
    SELECT "group" FROM tally
    UNION
    SELECT '' AS "group" WHERE CAST($by AS TEXT) IS NULL
),
counted AS (
    SELECT
        groups."group",
        funnel_steps.step,
        CASE WHEN CAST($order AS TEXT) <> 'any' THEN funnel_steps.event_name END AS event_name,
        CAST(COALESCE(SUM(tally.visitors), 0) AS BIGINT) AS visitors
    FROM groups
    CROSS JOIN funnel_steps
    LEFT JOIN tally ON tally."group" = groups."group" AND tally.reached >= funnel_steps.step
    GROUP BY groups."group", funnel_steps.step, funnel_steps.event_name
)
SELECT
    "group",
    step,
    event_name,
    visitors,
    CAST(visitors AS DOUBLE PRECISION) / NULLIF(FIRST_VALUE(visitors) OVER steps, 0) AS from_first,
    CAST(visitors AS DOUBLE PRECISION) / NULLIF(LAG(visitors) OVER steps, 0) AS from_previous,
    (LAG(visitors) OVER steps) - visitors AS dropped
FROM counted
WINDOW steps AS (PARTITION BY "group" ORDER BY step)
ORDER BY "group", step
