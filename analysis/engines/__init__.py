"""What computes metrics: one class per place where events are, each with `query(sql, parameters)`."""
