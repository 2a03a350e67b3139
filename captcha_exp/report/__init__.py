"""The report of one sweep or several, as a single HTML page."""

from captcha_exp.report.report_page import write_report

__all__ = ["write_report"]
