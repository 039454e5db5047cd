"""Browsers by what hardly changes: device class, operating system and browser family.

A version that moves from 129 to 130 is the same browser; the complete text is only the finest
level of the path (and never leaves this process but as a keyed hash).
"""

from __future__ import annotations

from typing import Final

_SYSTEMS: Final = (
    ("harmonyos", "harmonyos"),
    ("openharmony", "harmonyos"),
    ("android", "android"),
    ("iphone", "ios"),
    ("ipad", "ios"),
    ("windows", "windows"),
    ("mac os", "macos"),
    ("cros", "chromeos"),
    ("uos", "uos"),
    ("kylin", "kylin"),
    ("linux", "linux"),
)
_BROWSERS: Final = (
    ("micromessenger", "wechat"),
    ("dingtalk", "dingtalk"),
    ("edg", "edge"),
    ("opr/", "opera"),
    ("qqbrowser", "qq"),
    ("360se", "360"),
    ("360ee", "360"),
    ("ucbrowser", "uc"),
    ("samsungbrowser", "samsung"),
    ("firefox", "firefox"),
    ("headlesschrome", "headless"),
    ("chrome", "chrome"),
    ("safari", "safari"),
    ("python", "script"),
    ("curl", "script"),
    ("go-http", "script"),
)
_HANDHELD: Final = frozenset({"android", "ios", "harmonyos"})
MAX_AGENT: Final = 1_000


def agent_family(user_agent: str) -> tuple[str, str]:
    """Return (device class, ``system-browser``), e.g. ``("desktop", "windows-edge")``."""
    text = user_agent[:MAX_AGENT].lower()
    system = next((name for mark, name in _SYSTEMS if mark in text), "other")
    browser = next((name for mark, name in _BROWSERS if mark in text), "other")
    if browser in ("script", "headless", "other") and system == "other":
        return ("none" if not text else "program", f"{system}-{browser}")
    device = "handheld" if system in _HANDHELD else "desktop"
    return (device, f"{system}-{browser}")
