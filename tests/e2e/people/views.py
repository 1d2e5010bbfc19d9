"""What a Django project does for signing in by SAML (python3-saml) and OpenID (Authlib), and for mail."""

import json
import os

from authlib.integrations.django_client import OAuth
from django.contrib.sessions.backends.db import SessionStore
from django.core.mail import send_mail
from django.http import HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect
from django.utils.html import escape
from django.views.decorators.csrf import csrf_exempt
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser

BASE = os.environ["DJANGO_BASE_URL"].rstrip("/")


def page(title, rows):
    listed = "".join(f"<dt>{escape(name)}</dt><dd id={name}>{escape(value)}</dd>" for name, value in rows.items())
    return HttpResponse(f"<!doctype html><title>{title}</title><h1>{title}</h1><dl>{listed}</dl>")


def home(request):
    known = request.session.get("person", {})
    return page("Signed in" if known else "Nobody", known)


def forget(request):
    request.session.flush()
    return redirect("/people/")


# SAML


def saml(request):
    settings = {
        "strict": True,
        "sp": {
            "entityId": f"{BASE}/people/saml/",
            "assertionConsumerService": {
                "url": f"{BASE}/people/saml/acs/",
                "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
            },
            "NameIDFormat": request.GET.get("format", "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"),
        },
        "idp": {
            "entityId": os.environ["SAML_ENTITY_ID"],
            "singleSignOnService": {
                "url": os.environ["SAML_SINGLE_SIGN_ON_REDIRECT_URL"],
                "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            },
            "x509cert": os.environ["SAML_SIGNING_CERTIFICATE"],
        },
        "security": {"wantAssertionsSigned": True, "wantMessagesSigned": True, "wantNameId": True},
    }
    described = {
        "https": "off",
        "http_host": BASE.partition("//")[2],
        "script_name": request.path,
        "get_data": request.GET.copy(),
        "post_data": request.POST.copy(),
    }
    return OneLogin_Saml2_Auth(described, settings)


def saml_login(request):
    # The answer is a form from another site: no cookie of this one comes with it, a session's least of all.
    asked = SessionStore()
    asked.create()
    auth = saml(request)
    url = auth.login(return_to=asked.session_key, force_authn="force" in request.GET)
    asked["request"] = auth.get_last_request_id()
    asked.save()
    return redirect(url)


@csrf_exempt
def saml_acs(request):
    asked = SessionStore(request.POST["RelayState"])
    auth = saml(request)
    auth.process_response(request_id=asked["request"])
    if auth.get_errors():
        return HttpResponseBadRequest(f"{auth.get_errors()} {auth.get_last_error_reason()}")
    asked.delete()
    person = {name: ",".join(values) for name, values in auth.get_attributes().items()}
    request.session["person"] = {"by": "SAML", "nameid": auth.get_nameid(), **person}
    return redirect("/people/")


def saml_metadata(request):
    """What python3-saml takes from the metadata, fetched from inside the pod."""
    return JsonResponse(OneLogin_Saml2_IdPMetadataParser.parse_remote(os.environ["SAML_METADATA_URL"], timeout=10))


# OpenID


def variable(name):
    return os.environ[f"DJANGO_OIDC_{name}"]


def oidc():
    # Made anew each time: a changed secret is in the environment, and nothing remembers the old one.
    return OAuth().register(
        "oidc",
        client_id=variable("CLIENT_ID"),
        client_secret=variable("CLIENT_SECRET"),
        api_base_url=variable("API_BASE_URL"),
        authorize_url=variable("AUTHORIZE_URL"),
        access_token_url=variable("ACCESS_TOKEN_URL"),
        jwks_uri=variable("JWKS_URL"),
        userinfo_endpoint=variable("USERINFO_URL"),
        client_kwargs={**json.loads(variable("CLIENT_KWARGS")), "code_challenge_method": "S256"},
    )


def oidc_login(request):
    more = {"prompt": request.GET["prompt"]} if "prompt" in request.GET else {}
    return oidc().authorize_redirect(request, f"{BASE}/callback", **more)


def oidc_callback(request):
    client = oidc()
    token = client.authorize_access_token(request)
    claims = token["userinfo"]
    told = client.userinfo(token=token)
    if claims["iss"] != variable("API_BASE_URL") or told["sub"] != claims["sub"]:
        return HttpResponseBadRequest(f"{claims} {told}")
    request.session["person"] = {
        "by": "OpenID",
        "sub": claims["sub"],
        "name": told["name"],
        "email": told["email"],
        "groups": ",".join(told["groups"]),
    }
    return redirect("/people/")


def account(request):
    """Who has signed in by mozilla-django-oidc, which makes a user of Django's of everybody."""
    user = request.user
    return page("Account", {"by": "mozilla-django-oidc", "email": user.email} if user.is_authenticated else {})


def oidc_discovered(request):
    """Sign-in by discovery alone, as far as a library goes before it leads the browser away."""
    issuer = variable("API_BASE_URL")
    client = OAuth().register(
        "discovered", client_id="x", server_metadata_url=f"{issuer}/.well-known/openid-configuration"
    )
    found = client.load_server_metadata()
    return JsonResponse({"issuer": issuer, "found": found, "keys": client.fetch_jwk_set()})


# Mail


def mail(request, subject):
    return HttpResponse(
        send_mail(subject, f"Hello, this is about {subject}.", "notes@example.com", ["you@example.com"])
    )
