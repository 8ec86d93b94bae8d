-- The steps: one row each, numbered from 1.
SELECT
    event_name COLLATE "C" AS event_name,
    step
FROM unnest(CAST($steps AS TEXT[])) WITH ORDINALITY AS listed (event_name, step)
