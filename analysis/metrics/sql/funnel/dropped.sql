-- The visitors who reach the step before, and no further.
SELECT visitors.*
FROM visitors
INNER JOIN (
    SELECT visitor
    FROM funnel_attempts
    GROUP BY visitor
    HAVING MAX(step) = CAST($step AS BIGINT) - 1
) AS stopped ON stopped.visitor = visitors.visitor_key
