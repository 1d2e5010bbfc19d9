"""Who you are: what the two identity providers say of themselves. Logging in needs a person: see login.py."""

import base64
import json
import os
import urllib.request
from xml.etree import ElementTree

_INSIDE = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Inside the model, hence not through the proxy."""


def saml() -> str:
    """Read the metadata of the SAML identity provider: it has to sign with the certificate that the charm told."""
    with _INSIDE.open(os.environ["SAML_METADATA_URL"], timeout=10) as answer:
        document = ElementTree.fromstring(answer.read())
    told = "".join(os.environ["SAML_SIGNING_CERTIFICATE"].split())
    names = [each.text or "" for each in document.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")]
    if told not in ["".join(name.split()) for name in names]:
        raise ValueError("the metadata has another certificate than the charm told")
    if document.get("entityID") != os.environ["SAML_ENTITY_ID"]:
        raise ValueError(f"the metadata is of {document.get('entityID')}")
    return f"{document.get('entityID')} signs with a certificate of {len(base64.b64decode(told))} bytes"


def oidc() -> str:
    """Read the keys of the OpenID provider."""
    with _INSIDE.open(os.environ["DJANGO_OIDC_JWKS_URL"], timeout=10) as answer:
        keys = json.load(answer)["keys"]
    if not keys:
        raise ValueError("the provider has no keys")
    return f"{os.environ['DJANGO_OIDC_API_BASE_URL']} signs with {len(keys)} keys"
