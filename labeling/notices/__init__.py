"""Notices that people see."""
