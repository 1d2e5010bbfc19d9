"""nginx-ingress-integrator, built in: ingress of one application under a host name, by the same real Traefik."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nuages.engine.service import Context
from nuages.services import driver, tls
from nuages.services.traefik import Traefik, ingress, preferred, server


class NginxIngressIntegrator(Traefik):
    """The application as the engine sees it."""

    name = "nginx-ingress-integrator"
    summary = "Ingress for one application under a host name of its own, by Traefik"
    metadata: Mapping[str, Any] = {
        "name": name,
        "summary": summary,
        "description": "Real Traefik in place of nginx; speaks what Charmhub's nginx-ingress-integrator speaks.",
        "containers": {server.SERVICE: {}},
        "provides": {ingress.ENDPOINT: {"interface": "ingress", "limit": 1}},
        "requires": tls.METADATA,
    }
    options: Mapping[str, Any] = {
        "port": {**Traefik.options["port"], "description": f"{Traefik.options['port']['description']} Only here."},
        "service-hostname": {
            "type": "string",
            "description": "The host name in the application's URL. Unset, it is localhost.",
        },
    }
    actions: Mapping[str, Any] = {}

    async def gateway(self, context: Context, requirers: list[ingress.Requirer]) -> ingress.Gateway:
        """Publish the port and return how the gateway is reached: every path of the host is the one application's."""
        host = str(context.config.get("service-hostname") or "")
        if host and not ingress.is_hostname(host):
            raise driver.Refused(f"service-hostname is {host!r}: set it to a bare host name, without scheme or port")
        port = await context.publish("web", server.PORT, preferred=preferred(context))
        return ingress.Gateway(port, host.lower(), ingress.HOST if host else ingress.PATH)


SERVICE = NginxIngressIntegrator()
