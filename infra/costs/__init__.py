"""What a deployed stage costs: list prices times sizes that were measured."""
