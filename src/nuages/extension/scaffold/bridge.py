"""The bridge: a settings module that lays what the charm says around the project's own settings.

Before the import: variables that the project reads under names or in formats of its own. After it: charm_settings,
which overrides what is written out, and what only this project needs (static files, the redirect to https).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from nuages.contract.endpoints import BY_NAME, Interface
from nuages.extension.django.aliases import Alias, aliases
from nuages.extension.django.findings import Findings, Hook, Settings
from nuages.extension.django.static_files import static_storage
from nuages.extension.django.tree import Tree
from nuages.extension.scaffold.planned import Planned
from nuages.extension.scaffold.select import reselected

HELPER = "charm_settings"
_SECURE = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
_HEADER = '''\
"""Settings under the charm: those of {module}, with what the charm says around them.

Without the charm's variables, on a laptop, nothing is changed. Written by `nuages init --settings`; yours from then on.
"""
'''


def database_of(findings: Findings) -> Interface:
    """Return the interface of the database."""
    return BY_NAME[findings.integrations[0].interface]


def bridge(tree: Tree, findings: Findings, helper: str) -> tuple[Planned, ...]:
    """Return the files of the bridge: the helper, a settings module or the project's hook, the selecting lines.

    `helper` is the text of charm_settings.py. Nothing is returned when the settings are not known.
    """
    target = findings.production
    if target is None:
        return ()
    files = [
        Planned(
            posixpath.join(findings.application, f"{HELPER}.py"), helper,
            "Django settings from the charm's variables; the other files use it",
        )
    ]  # fmt: skip
    hook = target.hook
    hooked = hook is not None and hook_suffices(findings, hook)
    if hook is not None and (hooked or (hook.required and not hook.exists)):
        files.append(_hook_file(tree, hook, target))
    if hooked:
        return tuple(files)
    module, path = bridge_module(findings, target)
    files.append(Planned(path, bridge_text(findings, target), f"{target.module}, with what the charm says around it"))
    known = (target.module, findings.settings.module if findings.settings else "")
    chosen = [item for item in findings.selections if item.where != "other" or item.module in known]
    for file in dict.fromkeys(item.place.file for item in chosen):
        here = tuple(item for item in chosen if item.place.file == file)
        old = tree.text(file)
        new = reselected(old, here, module, target.module)
        if new != old:
            files.append(Planned(file, new, f"selects {module}", changes=True))
    return tuple(files)


def bridge_module(findings: Findings, target: Settings) -> tuple[str, str]:
    """Return the bridge's dotted name and its file."""
    directory, _, base = target.file.rpartition("/")
    name = "settings_charm"
    if base == "__init__.py":
        directory = posixpath.dirname(directory)
    elif "settings" in posixpath.basename(directory):
        name = "charm"
    path = posixpath.join(directory, f"{name}.py")
    inside = posixpath.relpath(path, findings.application or ".")
    return inside.removesuffix(".py").replace("/", "."), path


def hook_suffices(findings: Findings, hook: Hook) -> bool:
    """Whether everything can be said in the project's own hook file: it has the last word, nothing comes before it."""
    target = findings.production
    if target is None or not hook.last:
        return False
    early = [alias for alias in aliases(target, database_of(findings)) if not _late(alias)]
    return not early and findings.static.served and not findings.static.manifest and not _redirects(target)


def _late(alias: Alias) -> bool:
    """Whether charm_settings sets the setting itself, so that what the variable says does not matter."""
    return alias.read.setting in ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "DATABASES", "CSRF_TRUSTED_ORIGINS") and not (
        alias.replaces or alias.read.required
    )


def _hook_file(tree: Tree, hook: Hook, target: Settings) -> Planned:
    """Return the hook file: what is there or what the example shows, with the charm's word at its end."""
    old = tree.text(hook.file) if hook.exists else tree.text(hook.example) if hook.example else ""
    if f"{HELPER}.update(" in old:
        return Planned(hook.file, old, "the project's own hook has the charm's values", changes=hook.exists)
    own = f'\nif "DJANGO_BASE_URL" in {HELPER}.os.environ:\n    del LOGGING  # the project has its own\n'
    text = (old.rstrip("\n") + "\n\n" if old else '"""Settings of this installation."""\n\n') + (
        "# What the charm says; without its variables nothing changes.\n"
        f"import {HELPER}  # noqa: E402\n\n{HELPER}.update(globals())\n" + (own if "LOGGING" in target.places else "")
    )
    why = "the project's own hook for whoever installs it" + (f", as {hook.example} shows it" if hook.example else "")
    return Planned(hook.file, text, why, changes=hook.exists)


def bridge_text(findings: Findings, target: Settings) -> str:
    """Return the bridge's source."""
    database = database_of(findings)
    found = aliases(target, database)
    options = {option.read.name: option.variable for option in findings.options if option.read.name != option.variable}
    plain = {alias.read.name: alias.source for alias in found if alias.form == "text" and not alias.replaces}
    plain.update(options)
    written = [alias for alias in found if alias.form != "text" or alias.replaces]
    replaced = any(alias.replaces for alias in written)
    lines = [_HEADER.format(module=target.module)]
    modules = [
        name for name, used in (("json", any(item.form != "constant" for item in written)), ("os", True)) if used
    ]
    lines += [*(f"import {name}" for name in modules), "", f"import {HELPER}", ""]
    lines += ['CHARMED = "DJANGO_BASE_URL" in os.environ', '"""The charm always sets the base URL."""', ""]
    if replaced:
        lines += ["_said = dict(os.environ)  # before any of it is written anew", ""]
    if plain:
        lines += ["# Before: what the settings read under names of their own.", f"{HELPER}.alias("]
        lines += [*(f'    {name}="{source}",' for name, source in sorted(plain.items())), ")", ""]
    if written:
        lines += ["if CHARMED:", *(f"    {line}" for alias in written for line in _written(alias)), ""]
    lines += [f"from {target.module} import *  # noqa: E402, F403", ""]
    if replaced:
        lines += ["os.environ.update({name: text for name, text in _said.items() if name in os.environ})", ""]
    said = ", _said" if replaced else ""
    lines += ["# After: what the charm says wins over what is written out.", f"{HELPER}.update(globals(){said})", ""]
    after = list(_after(findings, target))
    if after:
        lines += ["if CHARMED:", *(f"    {line}" if line else "" for line in after), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _written(alias: Alias) -> Iterator[str]:
    """Yield the lines that set a variable in the project's format."""
    name = f'os.environ["{alias.read.name}"]'
    if alias.form == "constant":
        yield f'os.environ.setdefault("{alias.read.name}", "{alias.source}")'
    elif alias.form == "boolean":
        yield f'{name} = "{alias.read.true}" if os.environ["DJANGO_DEBUG"] == "true" else "{alias.read.false}"'
    elif alias.form in ("commas", "blanks"):
        separator = "," if alias.form == "commas" else " "
        yield f'{name} = "{separator}".join(json.loads(os.environ.get("{alias.source}", "[]")))'
    else:
        yield f'{name} = os.environ["{alias.source}"]'


def _redirects(target: Settings) -> bool:
    return any(name in target.places for name in _SECURE)


def _after(findings: Findings, target: Settings) -> Iterator[str]:
    """Yield what this project needs beyond charm_settings."""
    endpoint = findings.integrations[0].endpoint
    yield 'if "sqlite" in globals().get("DATABASES", {}).get("default", {}).get("ENGINE", "sqlite"):'
    yield f'    raise RuntimeError("the charm has no database for the settings: relate the endpoint {endpoint}")'
    secure = [name for name in _SECURE if name in target.places]
    if secure:
        yield "# Without TLS at the ingress a redirect to https goes round for ever, and no secure cookie comes back."
        yield '_https = os.environ["DJANGO_BASE_URL"].startswith("https:")'
        yield from (f"{name} = {name} and _https  # noqa: F405" for name in secure)
    if not findings.static.served:
        yield "# gunicorn serves no static files; WhiteNoise does, from where the applications have them."
        yield '_whitenoise = "whitenoise.middleware.WhiteNoiseMiddleware"'
        if "MIDDLEWARE" not in target.places:  # Django's own default, which `import *` does not bring
            yield 'MIDDLEWARE = list(globals().get("MIDDLEWARE") or ())'
        yield "if _whitenoise not in MIDDLEWARE:  # noqa: F405"
        yield "    MIDDLEWARE = [*MIDDLEWARE[:1], _whitenoise, *MIDDLEWARE[1:]]  # noqa: F405"
        yield "WHITENOISE_USE_FINDERS = True"
        yield 'STATIC_URL = globals().get("STATIC_URL") or "static/"'
    if findings.static.manifest:
        yield "# A manifest would need collectstatic when the rock is built; files are served from where they are."
        if findings.static.served:
            yield "WHITENOISE_USE_FINDERS = True"
        plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
        if "STORAGES" in target.places and static_storage(target):
            yield f'STORAGES = {{**STORAGES, "staticfiles": {{"BACKEND": "{plain}"}}}}  # noqa: F405'
        else:
            yield 'if "STORAGES" in globals():'
            yield f'    STORAGES["staticfiles"] = {{"BACKEND": "{plain}"}}  # noqa: F405'
            yield "else:"
            yield f'    STATICFILES_STORAGE = "{plain}"'
