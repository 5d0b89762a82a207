"""What the withdrawal page says where a policy brings no words of its own; the languages of the sample policy.

A policy replaces any of them under `texts` by the names of `NAMES`. User-facing words need counsel.
"""

from collections.abc import Mapping

from consent_service.domain.policy import Policy

NAMES = (
    "withdraw_page_title",
    "withdraw_page_body",
    "withdraw_page_email",
    "withdraw_page_everything",
    "withdraw_page_done",
)

_WORDS: Mapping[str, tuple[str, str, str, str, str]] = {
    "en": (
        "Withdraw your consent",
        (
            "Our mails may hold pixels that tell us whether and when you read them. "
            "You can stop this here, without logging in."
        ),
        "Stop tracking in mails",
        "Withdraw all consent, on the web site as well",
        "Your consent has been withdrawn. What was done before remains lawful.",
    ),
    "de": (
        "Einwilligung widerrufen",
        (
            "Unsere E-Mails können Pixel enthalten, die uns sagen, ob und wann Sie sie lesen. "
            "Hier beenden Sie das, ohne sich anzumelden."
        ),
        "Messung in E-Mails beenden",
        "Alle Einwilligungen widerrufen, auch für die Website",
        "Ihre Einwilligung ist widerrufen. Was vorher geschah, bleibt rechtmäßig.",
    ),
    "fr": (
        "Retirer votre consentement",
        (
            "Nos courriels peuvent contenir des pixels qui nous disent si et quand vous les lisez. "
            "Vous pouvez y mettre fin ici, sans vous connecter."
        ),
        "Arrêter le suivi dans les courriels",
        "Retirer tous les consentements, aussi pour le site",
        "Votre consentement est retiré. Ce qui a été fait avant reste licite.",
    ),
    "es": (
        "Retirar su consentimiento",
        (
            "Nuestros correos pueden contener píxeles que nos dicen si los lee y cuándo. "
            "Aquí puede detenerlo, sin iniciar sesión."
        ),
        "Detener el seguimiento en los correos",
        "Retirar todos los consentimientos, también en el sitio web",
        "Su consentimiento ha sido retirado. Lo hecho antes sigue siendo lícito.",
    ),
    "zh": (
        "撤回您的同意",
        "我们的邮件可能含有像素，用来告诉我们您是否以及何时阅读邮件。您可以在此停止，无需登录。",
        "停止邮件中的跟踪",
        "撤回全部同意，包括网站上的同意",
        "您的同意已撤回。此前的处理仍然合法。",
    ),
}


def words(policy: Policy, language: str) -> Mapping[str, str]:
    """Give the page's words in a language of the policy: the policy's own, else ours, else ours in English."""
    ours = _WORDS.get(language.split("-", maxsplit=1)[0], _WORDS["en"])
    own = policy.texts.get(language, {})
    return {name: own.get(name, word) for name, word in zip(NAMES, ours, strict=True)}
