"""The cost model of a deployed stage: AWS's list prices times measured amounts."""
