"""The warehouse of a stage through the RDS Data API: PostgreSQL over HTTPS, without a way into its VPC."""
