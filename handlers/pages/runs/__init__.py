"""Trainings and inferences on the web: lists, form, history, one file a page."""
