-- Every attempt, followed from link to link: one row per step that it reaches within the window.
-- Work grows with the events (sorted once) and with attempts × steps.
WITH RECURSIVE followed AS (
    SELECT
        visitor,
        "group",
        step,
        next_position,
        next_microseconds,
        microseconds + CAST($window AS BIGINT) * 1000000 AS ends
    FROM funnel_links
    WHERE step = 1

    UNION ALL

    SELECT
        followed.visitor,
        followed."group",
        funnel_links.step,
        funnel_links.next_position,
        funnel_links.next_microseconds,
        followed.ends
    FROM followed
    INNER JOIN funnel_links ON funnel_links.position = followed.next_position
    WHERE followed.next_microseconds <= followed.ends
)
SELECT
    visitor,
    "group",
    step
FROM followed
