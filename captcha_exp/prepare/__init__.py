"""What a dataset is and what is wrong with it."""

from captcha_exp.prepare.audit import audit_dataset
from captcha_exp.prepare.audit_folder import find_audit, write_audit
from captcha_exp.prepare.audit_page import render_page
from captcha_exp.prepare.audit_result import Audit
from captcha_exp.prepare.contradictions import TrainedModel
from captcha_exp.prepare.findings import Level, findings

__all__ = ["Audit", "Level", "TrainedModel", "audit_dataset", "find_audit", "findings", "render_page", "write_audit"]
