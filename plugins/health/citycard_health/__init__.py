"""Health card, appointments, visits split between insurance and purse, record summaries for clinics."""
