"""What a dataset is and what is wrong with it."""

from captcha_exp.audit.auditing import audit_dataset
from captcha_exp.audit.contradictions import TrainedModel
from captcha_exp.audit.findings import Level, findings
from captcha_exp.audit.page import render_page
from captcha_exp.audit.place import find_audit, write_audit
from captcha_exp.audit.result import Audit

__all__ = ["Audit", "Level", "TrainedModel", "audit_dataset", "find_audit", "findings", "render_page", "write_audit"]
