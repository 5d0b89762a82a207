"""The sample policy with Arabic added, so that the browser tests can read it from right to left."""

from pathlib import Path
from typing import Any

import yaml

POLICY = Path(__file__).resolve().parents[2] / "policies" / "storefront.yaml"
SUCCESSOR = "2026-11-23"
CATEGORIES = (
    "technical", "personalization", "advertising", "statistical", "social_media", "strictly_necessary",
    "analytical_performance", "functionality",
)  # fmt: skip
_TEXTS = {
    "title": "خيارات الخصوصية الخاصة بك",
    "body": "نقوم نحن ومقدمو الخدمات المذكورون تحت «تخصيص» بتخزين المعلومات وقراءتها على جهازك. بعضها ضروري لعمل المتجر. "
    "بموافقتك نستخدمها أيضًا لحفظ إعداداتك وقياس استخدام المتجر وعرض الإعلانات. لا يؤثر الرفض على تسوقك. "
    "يمكنك تغيير اختيارك أو سحبه في أي وقت.",
    "accept_all": "قبول الكل",
    "reject_all": "رفض الكل",
    "customize": "تخصيص",
    "save": "حفظ الخيارات",
    "settings_title": "الاختيار حسب الغرض",
    "settings_body": "شغّل كل غرض أو أوقفه. يذكر كل بند ما يتم تخزينه ومن يخزنه ومدة التخزين.",
}
_TITLES = {
    "technical": ("تقنية", "تسجيل الدخول والتحقق: ملفات الجلسة التي تبقيك مسجلاً وتجعل زيارتك سلسة."),
    "personalization": ("التخصيص", "تحفظ تفضيلاتك وإعداداتك، مثل اللغة وحجم الخط ومحتويات سلة التسوق."),
    "advertising": (
        "الإعلانات",
        "تجمع ما تفعله على الإنترنت لعرض إعلانات تناسبك. تتم مشاركة هذه البيانات مع المعلنين.",
    ),
    "statistical": ("الإحصاءات", "تجمع كيفية استخدام مواقعنا خلال زيارة واحدة أو زيارات متكررة."),
    "social_media": ("وسائل التواصل الاجتماعي", "أزرار الإعجاب والمشاركة ومقاطع الفيديو من خدمات أخرى."),
    "strictly_necessary": ("ضرورية للغاية", "مطلوبة لعمل المتجر. بدونها لا يمكنك استخدام حسابك أو إتمام طلب."),
    "analytical_performance": ("التحليلات والأداء", "تتعرف على الزوار وتعدهم وتوضح طريقهم في المتجر لنتمكن من تحسينه."),
    "functionality": ("الوظائف", "تتعرف عليك عند عودتك إلى المتجر أو إلى محادثته."),
}
_PURPOSE = "يُستخدم لهذا الغرض كما هو موضح أعلاه."


def document(**members: object) -> dict[str, Any]:
    """Give the policy; `members` replace members of the top level."""
    policy: dict[str, Any] = yaml.safe_load(POLICY.read_text("utf-8"))
    policy["languages"]["available"].append("ar")
    policy["texts"]["ar"] = _TEXTS
    for name, (title, description) in _TITLES.items():
        policy["categories"][name]["title"]["ar"] = title
        policy["categories"][name]["description"]["ar"] = description
    for tracker in policy["trackers"]:
        tracker["purpose"]["ar"] = _PURPOSE
    return policy | members
