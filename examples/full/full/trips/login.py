"""Signing in: by SAML with python3-saml, by OpenID with Authlib."""

import json
import os

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.django_client import OAuth
from django.contrib.sessions.backends.cache import SessionStore
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from onelogin.saml2.auth import OneLogin_Saml2_Auth

BASE = os.environ.get("DJANGO_BASE_URL", "http://localhost:8000").rstrip("/")


def login(request: HttpRequest, way: str) -> HttpResponse:
    """Lead the browser to an identity provider."""
    if way == "saml":
        return _saml_login(request)
    if way == "oidc":
        return _oidc().authorize_redirect(request, f"{BASE}{reverse('trips:callback')}")
    raise Http404(f"no way to sign in is called {way}")


def logout(request: HttpRequest) -> HttpResponse:
    """Forget who is signed in here; the providers still know."""
    request.session.flush()
    return redirect("trips:page")


def _saml(request: HttpRequest) -> OneLogin_Saml2_Auth:
    scheme, _, host = BASE.partition("://")
    described = {
        "https": "on" if scheme == "https" else "off",
        "http_host": host.partition("/")[0],
        "script_name": request.path,
        "get_data": request.GET.copy(),
        "post_data": request.POST.copy(),
    }
    return OneLogin_Saml2_Auth(
        described,
        {
            "strict": True,
            "sp": {
                "entityId": f"{BASE}/saml/",
                "assertionConsumerService": {
                    "url": f"{BASE}{reverse('trips:saml')}",
                    "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
                },
            },
            "idp": {
                "entityId": os.environ["SAML_ENTITY_ID"],
                "singleSignOnService": {
                    "url": os.environ["SAML_SINGLE_SIGN_ON_REDIRECT_URL"],
                    "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
                },
                "x509cert": os.environ["SAML_SIGNING_CERTIFICATE"],
            },
            "security": {"wantAssertionsSigned": True},
        },
    )


def _saml_login(request: HttpRequest) -> HttpResponse:
    # The answer is a form of another site: no cookie of ours comes with it, the session's least of all.
    asked = SessionStore()
    asked.create()
    auth = _saml(request)
    url = auth.login(return_to=asked.session_key)
    asked["request"] = auth.get_last_request_id()
    asked.save()
    return redirect(url)


@csrf_exempt
def saml(request: HttpRequest) -> HttpResponse:
    """Take the answer of the SAML provider: it has to be to a question of ours."""
    asked = SessionStore(request.POST.get("RelayState", ""))
    if not asked.get("request"):
        return HttpResponseBadRequest("This is no answer to a question of ours.")
    auth = _saml(request)
    auth.process_response(request_id=asked["request"])
    if auth.get_errors():
        return HttpResponseBadRequest(f"The answer is not good: {auth.get_last_error_reason()}")
    asked.delete()
    request.session["saml-user"] = auth.get_nameid()
    return redirect("trips:page")


def _oidc():
    def variable(name: str) -> str:
        return os.environ[f"DJANGO_OIDC_{name}"]

    return OAuth().register(
        "oidc",
        client_id=variable("CLIENT_ID"),
        client_secret=variable("CLIENT_SECRET"),
        authorize_url=variable("AUTHORIZE_URL"),
        access_token_url=variable("ACCESS_TOKEN_URL"),
        jwks_uri=variable("JWKS_URL"),
        userinfo_endpoint=variable("USERINFO_URL"),
        client_kwargs={**json.loads(variable("CLIENT_KWARGS")), "code_challenge_method": "S256"},
    )


def callback(request: HttpRequest) -> HttpResponse:
    """Take the answer of the OpenID provider."""
    try:
        token = _oidc().authorize_access_token(request)
    except OAuthError as error:
        return HttpResponseBadRequest(f"The answer is not good: {error.error}")
    if token["userinfo"]["iss"] != os.environ["DJANGO_OIDC_API_BASE_URL"]:
        return HttpResponseBadRequest("The answer is another provider's.")
    request.session["oidc-user"] = token["userinfo"].get("email") or token["userinfo"]["sub"]
    return redirect("trips:page")
