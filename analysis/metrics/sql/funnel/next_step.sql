-- Go on by one step: the latest attempt before an event is the last one whose window can end.
SELECT
    visitor,
    "group",
    position,
    microseconds,
    step,
    level + 1 AS level,
    CASE
        WHEN step <> level + 1 THEN began
        WHEN latest >= microseconds - CAST($window AS BIGINT) * 1000000 THEN latest
    END AS began
FROM (
    SELECT
        *,
        MAX(CASE WHEN step = level THEN began END) OVER (
            PARTITION BY visitor, "group" ORDER BY position ROWS UNBOUNDED PRECEDING
        ) AS latest
    FROM previous
) AS followed
