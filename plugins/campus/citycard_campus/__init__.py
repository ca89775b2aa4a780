"""Enrolment, canteen, computer room, doors and attendance for schools and universities."""
