"""The cookie's content is signed, so that nobody but us can have written it."""

import hashlib

from flask.sessions import SecureCookieSessionInterface


class SignedCookies(SecureCookieSessionInterface):
    """Flask's own, with HMAC-SHA-256 in place of HMAC-SHA-1 (NIST SP 800-131A)."""

    salt = "attune cookie"
    digest_method = staticmethod(hashlib.sha256)
