"""Build the banner that browsers load: join the modules, put words and style in, minify, write.

The integrity values of the scripts are written into the documents that show them. Run it after
every change under `clients/browser/`; a test builds anew and compares (tests/browser/test_build.py).
"""

import argparse
import base64
import graphlib
import hashlib
import json
import re
import sys
from pathlib import Path

import minify

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = ROOT / "src" / "consent_service" / "web"
DOCUMENTS = ("README.md", "clients/browser/README.md", "docs/banner.md")
"""Pages that show the tags with their integrity values."""

IMPORT = re.compile(r'^import \{[^}]*\} from "\./(?P<module>[a-z_]+)\.js";\n', re.MULTILINE)
DECLARATION = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (?P<name>\w+)", re.MULTILINE)
GENERATED = "generated"


class BuildError(Exception):
    """The sources cannot be joined; the message says which and why."""


def read_words() -> dict[str, dict[str, str]]:
    """Return the words of every language, each language complete."""
    words = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((HERE / "words").glob("*.json"))}
    for language, own in words.items():
        if list(own) != list(words["en"]):
            raise BuildError(f"words/{language}.json does not have the same keys, in the same order, as words/en.json")
    return words


def style(name: str) -> str:
    """Return a style sheet of the sources, minified."""
    minified: str = minify.string("text/css", (HERE / "src" / name).read_text("utf-8"))
    return minified


def generated_module() -> str:
    """Return the constants that src/generated.d.ts declares, as JavaScript."""
    return f"const LOOK = {json.dumps(style('look.css'), ensure_ascii=False)};\n"


def join_modules() -> str:
    """Return all modules as one scope, each after what it imports.

    Works because the sources keep to `import { … }` on top and to names that are unique over all modules.
    """
    sources = {path.stem: path.read_text("utf-8") for path in sorted((HERE / "src").glob("*.js"))}
    sources[GENERATED] = generated_module()
    # Lists, not sets: their order would differ from one run of Python to the next, and with it the built file.
    imports = {name: [found["module"] for found in IMPORT.finditer(text)] for name, text in sources.items()}
    order = list(graphlib.TopologicalSorter(imports).static_order())
    owners: dict[str, str] = {}
    for module in order:
        for found in DECLARATION.finditer(sources[module]):
            owner = owners.setdefault(found["name"], module)
            if owner != module:
                raise BuildError(f"{module}.js and {owner}.js both declare {found['name']}")
    return "".join(re.sub(r"^export ", "", IMPORT.sub("", sources[name]), flags=re.MULTILINE) for name in order)


def build() -> dict[str, str]:
    """Return the content of every file that is served, by its path below /static/."""
    joined = join_modules()
    files = {
        "choices.js": f'(() => {{\n"use strict";\n{joined}\ninstall();\n}})();',
        # The names inside are shortened only where they are local, hence the function around the module as well.
        "choices.mjs": f"export const consent = (() => {{\n{joined}\nreturn install(import.meta.url);\n}})();",
    }
    built = {name: minify.string("application/javascript", text) + "\n" for name, text in files.items()}
    built["centre.css"] = style("centre.css") + "\n"
    for language, own in read_words().items():
        built[f"words/{language}.json"] = json.dumps(own, ensure_ascii=False, separators=(",", ":")) + "\n"
    return built


def integrity(text: str) -> str:
    """Return the value of a tag's `integrity` attribute (W3C Subresource Integrity)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(text.encode()).digest()).decode()


def stamped(page: str, files: dict[str, str]) -> str:
    """Return a page whose tags tell the integrity of these files."""
    for name in ("choices.js", "choices.mjs"):
        tag = re.compile(rf'(/static/{re.escape(name)}"[^>]*?\bintegrity=")[^"]*"')
        page = tag.sub(rf'\g<1>{integrity(files[name])}"', page)
    return page


def outputs() -> dict[Path, str]:
    """Return the content of everything that is written, by its path."""
    files = build()
    pages = {ROOT / name: (ROOT / name).read_text("utf-8") for name in DOCUMENTS}
    served = {TARGET / name: text for name, text in files.items()}
    return served | {path: stamped(page, files) for path, page in pages.items()}


def main() -> int:
    """Write the built files, or with --check say whether the committed ones are current."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a built file is not current")
    check = parser.parse_args().check
    stale = []
    for path, text in outputs().items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale.append(path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    print("\n".join(f"{'not current' if check else 'written'}: {name}" for name in stale) or "all current")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
