"""Passes, timed tickets, gates, memberships and points for museums, libraries, cinemas and gyms."""
