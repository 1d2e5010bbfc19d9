"""Who serves a project's static files under gunicorn, and what has to be built for its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from nuages.extension.django.findings import Choice, Place, Requirements, Settings, StaticFiles
from nuages.extension.django.hints import Line
from nuages.extension.django.toml import line_of
from nuages.extension.django.tree import Tree

_MANIFEST = re.compile(r"Manifest|Compressed")
_SERVERS = ("whitenoise", "dj_static", "servestatic")


def find_static(
    tree: Tree, settings: Settings | None, requirements: Requirements, lines: tuple[Line, ...]
) -> StaticFiles:
    """Return who serves static files, and the build steps."""
    steps = tuple(_steps(tree, requirements, lines))
    if settings is None:
        return StaticFiles(bool(requirements.has(*_SERVERS)), steps=steps)
    middleware = [text for name, value in settings.literals.items() if "MIDDLEWARE" in name for text in _flat(value)]
    served = any(text.startswith(_SERVERS) for text in middleware)
    storage = static_storage(settings)
    elsewhere = bool(storage) and not storage.startswith(("django.", "whitenoise."))
    place = (
        settings.places.get("STORAGES")
        or settings.places.get("STATICFILES_STORAGE")
        or settings.places.get("STATIC_URL")
    )
    manifest = bool(_MANIFEST.search(storage)) and not elsewhere
    return StaticFiles(served or elsewhere, manifest=manifest, place=place, steps=steps)


def static_storage(settings: Settings) -> str:
    """Return the storage of static files as the settings write it, "" when they do not."""
    storages = settings.literals.get("STORAGES")
    entry = cast("dict[str, object]", storages).get("staticfiles") if isinstance(storages, dict) else None
    backend = cast("dict[str, object]", entry).get("BACKEND") if isinstance(entry, dict) else None
    value = backend or settings.literals.get("STATICFILES_STORAGE")
    return value if isinstance(value, str) else ""


def _steps(tree: Tree, requirements: Requirements, lines: tuple[Line, ...]) -> Iterator[Choice]:
    for file in tree.named("package.json", depth=3):
        text = tree.text(file)
        if re.search(r'"build"\s*:', text):
            yield Choice("npm", Place(file, line_of(text, '"build"')), f"{file} has a build script")
            break
    sources = [name for name in tree.names if name.endswith(".po")]
    if sources and not all(name.removesuffix(".po") + ".mo" in tree for name in sources):
        yield Choice("compilemessages", Place(sources[0]), "translations without their compiled form")
    if requirements.has("django-compressor"):
        seen = next((line for line in lines if "compress" in line.words), None)
        place = seen.place if seen else Place(requirements.file)
        yield Choice("compress", place, "django-compressor is required")


def _flat(value: object) -> list[str]:
    return [item for item in cast("list[object]", value) if isinstance(item, str)] if isinstance(value, list) else []
