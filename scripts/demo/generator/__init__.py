"""The seeded generator of provider files: imports nothing from the gateway, so that its answers are not the gateway's own opinion.

What the words mean at the cut-off (a day; the files hold what was posted up to its end):
missing – no record although the cut-off lies more than GRACE_DAYS days after the purchase's business date;
late – a record exists, posted more than LATE_AFTER_DAYS days after the business date, by the calendar of the coalition's time zone.
"""
