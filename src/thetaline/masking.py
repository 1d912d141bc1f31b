"""Secrets are masked before they reach a terminal, a log or an error message."""

import re

MASK = "***"

_SCHEME_AND_USER = r"(?P<head>[a-z][a-z0-9+.-]*://[^\s:/@]*:)"
_URL_PASSWORD = re.compile(_SCHEME_AND_USER + r"[^\s\"']*(?=@)", re.IGNORECASE)
_WHOLE_URL = re.compile(_SCHEME_AND_USER + r"(?P<password>.*)@", re.IGNORECASE | re.DOTALL)
_USER_INFO = re.compile(r"://.*@", re.DOTALL)
_BEARER = re.compile(r"(?P<head>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]+", re.IGNORECASE)
_PAIR = re.compile(
    r"(?P<head>\b[\w-]*(?:password|passwd|secret|token|access_key_id)[\w-]*[\"']?\s*[=:]\s*[\"']?)(?!\*\*\*)[^\s\"'&,;}]+",
    re.IGNORECASE,
)
_SECRET_NAME = re.compile(r"password|passwd|secret|token|authorization|access_key|api_key|cookie", re.IGNORECASE)


def mask_text(text: str) -> str:
    """`text` without the passwords of URLs, bearer tokens and `password=…` pairs."""
    for pattern in (_URL_PASSWORD, _BEARER, _PAIR):
        text = pattern.sub(rf"\g<head>{MASK}", text)
    return text


def password_in(url: str) -> str | None:
    """What stands where a URL has its password, also when it is not encoded as a URL asks (spaces, slashes)."""
    found = _WHOLE_URL.match(url)
    return found["password"] or None if found else None


def mask_url(url: str) -> str:
    """`url`, and nothing else, without its password."""
    return mask_text(_WHOLE_URL.sub(rf"\g<head>{MASK}@", url))


def without_user(url: str) -> str:
    """`url`, and nothing else, without the user and the password before its host."""
    return mask_text(_USER_INFO.sub("://", url))


def is_secret_name(name: str) -> bool:
    """Whether a value of this name is never shown, whatever it looks like."""
    return _SECRET_NAME.search(name) is not None


def mask_value(name: str, value: object) -> object:
    """`value` as it may be shown under `name`; mappings and sequences are masked all the way down."""
    if value is not None and is_secret_name(name) and not isinstance(value, (bool, int, float)):
        return MASK
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {key: mask_value(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_value(name, inner) for inner in value]
    return value
