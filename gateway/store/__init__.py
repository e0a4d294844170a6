"""Where records, referrals and evidence are kept: one journal per log, one transaction per batch."""
