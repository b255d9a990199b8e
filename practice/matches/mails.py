"""Mails around requests and meetings are the neutral one."""

from practice.neutral_mail import say_something_waits

__all__ = ["say_something_waits"]
