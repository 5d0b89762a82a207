"""The words of the shop in its two languages."""

LANGUAGES = {"en": "English", "de": "Deutsch"}

WORDS: dict[str, dict[str, str]] = {
    "tagline": {"en": "Slow things for quiet evenings", "de": "Langsame Dinge für ruhige Abende"},
    "intro": {
        "en": "A shop that would love to know everything about you, and a service that only lets it know what you allow. "
        "Answer the notice, look around, then see what happened.",
        "de": "Ein Laden, der gern alles über Sie wüsste, und ein Dienst, der ihn nur wissen lässt, was Sie erlauben. "
        "Beantworten Sie die Anfrage, sehen Sie sich um, und dann schauen Sie nach, was geschehen ist.",
    },
    "happened": {"en": "What happened here", "de": "Was hier geschah"},
    "skip": {"en": "Skip to the content", "de": "Zum Inhalt"},
    "cart": {"en": "Cart", "de": "Warenkorb"},
    "add": {"en": "Add to cart", "de": "In den Warenkorb"},
    "remove": {"en": "Remove", "de": "Entfernen"},
    "total": {"en": "Total", "de": "Summe"},
    "cart_empty": {"en": "Nothing in it yet.", "de": "Noch nichts darin."},
    "cart_note": {
        "en": "The cart is a cookie that needs no consent: you asked for it when you put something in.",
        "de": "Der Warenkorb ist ein Cookie, das keine Einwilligung braucht: Sie haben darum gebeten, als Sie etwas "
        "hineinlegten.",
    },
    "back": {"en": "All products", "de": "Alle Waren"},
    "sign_in": {"en": "Sign in", "de": "Anmelden"},
    "sign_out": {"en": "Sign out", "de": "Abmelden"},
    "sign_in_note": {
        "en": "Any name will do. The service learns a keyed hash of it, so that a signal such as Global Privacy Control, "
        "once sent by one of your devices, holds on the others too.",
        "de": "Irgendein Name genügt. Der Dienst erfährt nur einen Hash davon, damit ein Signal wie Global Privacy "
        "Control, das eines Ihrer Geräte einmal gesendet hat, auch auf den anderen gilt.",
    },
    "name": {"en": "E-mail or name", "de": "E-Mail oder Name"},
    "signed_in_as": {"en": "Signed in as", "de": "Angemeldet als"},
    "video": {"en": "How it is made", "de": "Wie es entsteht"},
    "held": {
        "en": "This would come from another company, which would learn that you were here. It waits for your consent "
        "to social media.",
        "de": "Dies käme von einem anderen Unternehmen, das dann wüsste, dass Sie hier waren. Es wartet auf Ihre "
        "Einwilligung in soziale Medien.",
    },
    "choices": {"en": "Privacy choices", "de": "Datenschutz-Einstellungen"},
    "share": {"en": "Share by e-mail", "de": "Per E-Mail teilen"},
    "share_note": {"en": "A plain link: it tells nobody.", "de": "Ein einfacher Link: Er verrät niemandem etwas."},
    "newsletter": {"en": "A letter now and then", "de": "Ab und zu ein Brief"},
    "email": {"en": "E-mail address", "de": "E-Mail-Adresse"},
    "may_measure": {
        "en": "You may see whether I open it (optional)",
        "de": "Sie dürfen sehen, ob ich ihn öffne (freiwillig)",
    },
    "subscribe": {"en": "Subscribe and show me the mail", "de": "Abonnieren und die Mail zeigen"},
    "mail_title": {"en": "The mail as it would be sent", "de": "Die Mail, wie sie versandt würde"},
    "mail_none": {
        "en": "Subscribe first, at the foot of any page.",
        "de": "Abonnieren Sie zuerst, am Fuß jeder Seite.",
    },
    "mail_later": {
        "en": "The service cannot be reached just now, and no mail goes out without its withdrawal link.",
        "de": "Der Dienst ist gerade nicht erreichbar, und ohne den Link zum Widerruf geht keine Mail hinaus.",
    },
    "mail_headers": {"en": "Header fields for mail programs", "de": "Kopfzeilen für Mailprogramme"},
    "mail_subject": {"en": "The lanterns are lit", "de": "Die Laternen brennen"},
    "mail_body": {
        "en": "The first frost came on Tuesday, and with it the new harbour lanterns. Come by when it is dark.",
        "de": "Am Dienstag kam der erste Frost und mit ihm die neuen Hafenlaternen. Kommen Sie vorbei, wenn es dunkel "
        "ist.",
    },
    "mail_stop": {"en": "Stop measuring whether I open mails", "de": "Nicht mehr messen, ob ich Mails öffne"},
    "mail_inside": {"en": "What is hidden in it", "de": "Was darin verborgen ist"},
    "opens": {"en": "Openings counted so far", "de": "Bisher gezählte Öffnungen"},
    "jar_lead": {
        "en": "On every page this shop tries to set all of its cookies and to fire all of its pixels. This is what "
        "became of them, for your browser, up to this moment.",
        "de": "Auf jeder Seite versucht dieser Laden, alle seine Cookies zu setzen und alle seine Pixel abzufeuern. Das "
        "ist daraus geworden, für Ihren Browser, bis zu diesem Augenblick.",
    },
    "jar_again": {"en": "Look again", "de": "Noch einmal nachsehen"},
    "jar_cookies": {"en": "In your cookie jar", "de": "In Ihrem Cookie-Glas"},
    "jar_kept_out": {"en": "Kept out", "de": "Nicht durchgelassen"},
    "jar_third": {"en": "What the third party saw", "de": "Was der Dritte gesehen hat"},
    "jar_categories": {"en": "Your eight answers", "de": "Ihre acht Antworten"},
    "jar_nothing_seen": {
        "en": "Nothing. It does not know that you exist.",
        "de": "Nichts. Er weiß nicht, dass es Sie gibt.",
    },
    "jar_not_asked": {
        "en": "It did not answer the shop's question.",
        "de": "Er hat auf die Frage des Ladens nicht geantwortet.",
    },
    "jar_nothing_kept_out": {
        "en": "Nothing yet: visit a page of the shop first.",
        "de": "Noch nichts: Besuchen Sie zuerst eine Seite des Ladens.",
    },
    "jar_nothing_stored": {
        "en": "Nothing yet. The shop's session cookie arrives with this page.",
        "de": "Noch nichts. Das Sitzungs-Cookie des Ladens kommt mit dieser Seite.",
    },
    "jar_signals": {"en": "Signals of this request", "de": "Signale dieser Anfrage"},
    "jar_vector": {"en": "Cache key of this page", "de": "Cache-Schlüssel dieser Seite"},
    "jar_visitor": {"en": "Known to the service as", "de": "Dem Dienst bekannt als"},
    "jar_nobody": {"en": "nobody yet", "de": "noch niemand"},
    "jar_try": {"en": "Try this", "de": "Versuchen Sie das"},
    "try_refuse": {
        "en": "Refuse in the notice, visit a product, look here: session, cart and language stay, nothing else comes.",
        "de": "Lehnen Sie ab, besuchen Sie eine Ware, sehen Sie hier nach: Sitzung, Warenkorb und Sprache bleiben, "
        "nichts sonst kommt.",
    },
    "try_accept": {
        "en": "Accept, visit a product, look here: the cookies came through, and the third party has met you.",
        "de": "Stimmen Sie zu, besuchen Sie eine Ware, sehen Sie hier nach: Die Cookies sind da, und der Dritte kennt "
        "Sie.",
    },
    "try_withdraw": {
        "en": "Withdraw under “Privacy choices” and load any page: what was set is deleted again.",
        "de": "Widerrufen Sie unter „Datenschutz-Einstellungen“ und laden Sie eine Seite: Was gesetzt war, ist wieder weg.",
    },
    "tried_on": {"en": "tried on", "de": "versucht auf"},
    "recognised": {"en": "recognised you", "de": "hat Sie wiedererkannt"},
    "new": {"en": "met you for the first time", "de": "hat Sie zum ersten Mal gesehen"},
    "footer": {
        "en": "A demonstration: nothing is sold, nothing leaves this machine.",
        "de": "Eine Vorführung: Nichts wird verkauft, nichts verlässt diesen Rechner.",
    },
    "allowed": {"en": "allowed", "de": "erlaubt"},
    "denied": {"en": "denied", "de": "verwehrt"},
    "removed": {"en": "was there, deleted again", "de": "war da, wieder gelöscht"},
    "unknown_page": {"en": "There is no such page.", "de": "Diese Seite gibt es nicht."},
}

REASONS: dict[str, dict[str, str]] = {
    "exempt": {"en": "needs no consent", "de": "braucht keine Einwilligung"},
    "granted": {"en": "you agreed", "de": "Sie haben zugestimmt"},
    "region_default": {
        "en": "the law of your region allows it unless you object",
        "de": "in Ihrer Region ohne Widerspruch erlaubt",
    },
    "no_record": {"en": "you have not answered yet", "de": "Sie haben noch nicht geantwortet"},
    "refused": {"en": "you refused", "de": "Sie haben abgelehnt"},
    "withdrawn": {"en": "you withdrew your consent", "de": "Sie haben Ihre Einwilligung widerrufen"},
    "expired": {"en": "your consent has lapsed", "de": "Ihre Einwilligung ist abgelaufen"},
    "policy_changed": {
        "en": "the policy covers more than you agreed to",
        "de": "die Richtlinie umfasst mehr, als Sie erlaubt haben",
    },
    "dnt": {"en": "your browser asks not to be tracked (DNT)", "de": "Ihr Browser möchte nicht verfolgt werden (DNT)"},
    "gpc": {"en": "your browser sends Global Privacy Control", "de": "Ihr Browser sendet Global Privacy Control"},
    "opted_out": {"en": "you opted out of sale and sharing", "de": "Sie haben Verkauf und Weitergabe widersprochen"},
    "child": {"en": "not for children", "de": "nicht für Kinder"},
    "restricted": {"en": "processing is restricted", "de": "die Verarbeitung ist eingeschränkt"},
    "objected": {"en": "you objected", "de": "Sie haben widersprochen"},
    "separate_consent": {"en": "a separate consent is missing", "de": "eine gesonderte Einwilligung fehlt"},
    "unregistered": {"en": "no policy names it", "de": "keine Richtlinie nennt es"},
    "unavailable": {"en": "the service gave no answer, so: no", "de": "der Dienst gab keine Antwort, also: nein"},
}

CATEGORY_NAMES: dict[str, dict[str, str]] = {
    "technical": {"en": "Technical", "de": "Technik"},
    "personalization": {"en": "Personalization", "de": "Personalisierung"},
    "advertising": {"en": "Advertising", "de": "Werbung"},
    "statistical": {"en": "Statistics", "de": "Statistik"},
    "social_media": {"en": "Social media", "de": "Soziale Medien"},
    "strictly_necessary": {"en": "Strictly necessary", "de": "Unbedingt erforderlich"},
    "analytical_performance": {"en": "Analytics and performance", "de": "Analyse und Leistung"},
    "functionality": {"en": "Functionality", "de": "Funktion"},
}


def language_of(cookie: str | None, accepted: str) -> str:
    """Choose a language: the one the visitor chose, else the first of the browser's that the shop speaks."""
    wanted = [cookie or "", *(part.split(";")[0].strip()[:2].lower() for part in accepted.split(","))]
    return next((code for code in wanted if code in LANGUAGES), "en")
