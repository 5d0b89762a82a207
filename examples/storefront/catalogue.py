"""What the shop sells. Pictures are `static/<slug>.svg`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Product:
    """One product, named in both languages of the shop."""

    slug: str
    cents: int
    names: dict[str, str]
    texts: dict[str, str]

    def price(self, count: int = 1) -> str:
        """Write the price of so many."""
        return format_price(self.cents * count)


def format_price(cents: int) -> str:
    """Write an amount in euros."""
    return f"€\u00a0{cents // 100}.{cents % 100:02d}"


_ALL = (
    Product(
        "teapot",
        6400,
        {"en": "Ember teapot", "de": "Teekanne Glut"},
        {
            "en": "Stoneware that keeps a litre hot for an hour. The handle stays cool.",
            "de": "Steinzeug, das einen Liter eine Stunde lang heiß hält. Der Griff bleibt kühl.",
        },
    ),
    Product(
        "mug",
        1800,
        {"en": "Dune mug", "de": "Becher Düne"},
        {
            "en": "Thrown by hand, glazed the colour of wet sand. No two are alike.",
            "de": "Von Hand gedreht, glasiert wie nasser Sand. Keiner gleicht dem anderen.",
        },
    ),
    Product(
        "lantern",
        8900,
        {"en": "Harbour lantern", "de": "Hafenlaterne"},
        {
            "en": "Brass and clear glass for one candle, indoors or out.",
            "de": "Messing und klares Glas für eine Kerze, drinnen wie draußen.",
        },
    ),
    Product(
        "fern",
        2400,
        {"en": "Potted fern", "de": "Farn im Topf"},
        {
            "en": "Asks for shade and a little water, and for nothing else about you.",
            "de": "Möchte Schatten und etwas Wasser, und sonst nichts von Ihnen.",
        },
    ),
    Product(
        "blanket",
        11900,
        {"en": "Heath blanket", "de": "Decke Heide"},
        {
            "en": "Undyed wool from two flocks, woven double and soft from the first day.",
            "de": "Ungefärbte Wolle zweier Herden, doppelt gewebt, weich vom ersten Tag an.",
        },
    ),
    Product(
        "notebook",
        1500,
        {"en": "Field notebook", "de": "Feldbuch"},
        {
            "en": "Two hundred pages, sewn to lie flat. It keeps what you write to itself.",
            "de": "Zweihundert Seiten, fadengeheftet. Was Sie schreiben, behält es für sich.",
        },
    ),
)
PRODUCTS = {product.slug: product for product in _ALL}
