"""Looking around: products, cart, language."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from examples.storefront.catalogue import PRODUCTS
from examples.storefront.forms import back_to, read_form
from examples.storefront.opening import open_page
from examples.storefront.words import LANGUAGES

router = APIRouter()
_MOST_OF_ONE = 99


@router.get("/")
async def home(request: Request) -> Response:
    """Show everything."""
    return (await open_page(request)).show("home.html")


@router.get("/products/{slug}")
async def product(request: Request, slug: str) -> Response:
    """Show one product, with a video and a like button that wait for consent."""
    page = await open_page(request)
    if slug not in PRODUCTS:
        return page.show("missing.html", 404)
    return page.show("product.html", product=PRODUCTS[slug])


@router.get("/cart")
async def cart(request: Request) -> Response:
    """Show the cart."""
    page = await open_page(request)
    total = sum(PRODUCTS[slug].cents * count for slug, count in page.cart.items())
    return page.show("cart.html", total=total)


@router.post("/cart")
async def change_cart(request: Request) -> Response:
    """Put one more in, or take a product out."""
    form = await read_form(request)
    page = await open_page(request)
    slug = form.get("slug", "")
    if slug in PRODUCTS and form.get("action") == "remove":
        page.cart.pop(slug, None)
    elif slug in PRODUCTS:
        page.cart[slug] = min(page.cart.get(slug, 0) + 1, _MOST_OF_ONE)
    return page.go("/cart")


@router.post("/language")
async def choose_language(request: Request) -> Response:
    """Remember a language for the session, which needs no consent since the visitor asked for it."""
    form = await read_form(request)
    response = (await open_page(request)).go(back_to(form))
    if form.get("lang") in LANGUAGES:
        response.set_cookie("lang", form["lang"], samesite="lax")
    return response
