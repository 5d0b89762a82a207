"""The page behind a withdrawal link: one form with two buttons, no script, nothing about the person."""

from html import escape

from consent_service.domain.policy import Policy
from consent_service.service.banner import text_direction
from consent_service.service.withdrawal.words import words

FIELD, MAILS, EVERYTHING = "withdraw", "email", "everything"

_PAGE = """<!doctype html>
<html lang="{lang}" dir="{dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} – {controller}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/withdrawal.css">
</head>
<body>
<main>
<p class="controller">{controller}</p>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""
_ASK = """<p>{body}</p>
<form method="post">
<button name="withdraw" value="email">{email}</button>
<button name="withdraw" value="everything">{everything}</button>
</form>"""
_DONE = '<p role="status">{done}</p>'


def withdrawal_page(policy: Policy, language: str, *, done: bool) -> str:
    """Give the page, before or after the withdrawal."""
    said = {name.removeprefix("withdraw_page_"): escape(text) for name, text in words(policy, language).items()}
    return _PAGE.format(
        lang=escape(language),
        dir=text_direction(language),
        title=said["title"],
        controller=escape(policy.controller.name),
        content=(_DONE if done else _ASK).format(**said),
    )
