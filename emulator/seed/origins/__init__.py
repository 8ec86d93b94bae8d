"""Where the events of the seed come from: devices, countries and campaigns, with what each must be told from."""
