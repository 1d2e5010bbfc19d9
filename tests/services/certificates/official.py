"""A requirer of tls-certificates as charms have it, made with the official library."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ops
from charmlibs.interfaces.tls_certificates import CertificateRequestAttributes, Mode, TLSCertificatesRequiresV4
from ops import testing

ENDPOINT = "certificates"
RELATION = 5
UNIT = CertificateRequestAttributes(
    common_name="web-0.example", sans_dns=frozenset({"web-0.example", "web.example"}), sans_ip=frozenset({"10.1.2.3"})
)
APP = CertificateRequestAttributes(common_name="web.example", sans_dns=frozenset({"web.example"}))
REQUESTS = {Mode.UNIT: [UNIT], Mode.APP: [APP]}


def _charm(mode: Mode) -> type[ops.CharmBase]:
    class Web(ops.CharmBase):
        def __init__(self, framework: ops.Framework) -> None:
            super().__init__(framework)
            wanted: dict[str, Any] = {"certificate_requests": REQUESTS.get(mode, [])}
            if mode is Mode.APP_AND_UNIT:
                wanted = {"certificate_requests_by_mode": REQUESTS}
            self.tls = TLSCertificatesRequiresV4(self, ENDPOINT, mode=mode, **wanted)
            self.available: list[str] = []
            framework.observe(self.tls.on.certificate_available, self._available)

        def _available(self, event: Any) -> None:
            self.available.append(event.certificate.common_name)

    return Web


class Web:
    """A unit of the requirer, from one hook to the next."""

    def __init__(self, mode: Mode) -> None:
        meta = {"name": "web", "requires": {ENDPOINT: {"interface": "tls-certificates"}}}
        self.context = testing.Context(_charm(mode), meta=meta, juju_version="3.6.9")
        relation = testing.Relation(ENDPOINT, id=RELATION, remote_app_name="self-signed-certificates")
        self.state = testing.State(leader=True, relations={relation}, model=testing.Model(name="dev"))
        self.state = self.context.run(self.context.on.relation_created(relation), self.state)

    @property
    def relation(self) -> Any:
        return self.state.get_relation(RELATION)

    @property
    def app(self) -> dict[str, str]:
        """The application's databag."""
        return dict(self.relation.local_app_data)

    @property
    def unit(self) -> dict[str, str]:
        """The unit's databag."""
        return dict(self.relation.local_unit_data)

    def hear(self, bag: dict[str, str]) -> tuple[list[Any], list[Any], list[str]]:
        """Return what the library makes of our databag: certificates of unit and application, and whom it told of."""
        relation = replace(self.relation, remote_app_data=bag)
        state = replace(self.state, relations={relation})
        with self.context(self.context.on.relation_changed(relation, remote_unit=0), state) as manager:
            self.state = manager.run()
            charm: Any = manager.charm
            found = [
                [assigned for one in REQUESTS[mode] if (assigned := charm.tls.get_assigned_certificate(one))[0]]
                for mode in (Mode.UNIT, Mode.APP)
                if charm.tls.mode in (mode, Mode.APP_AND_UNIT)
            ]
            both = {Mode.UNIT: (found[0], []), Mode.APP: ([], found[0])}.get(charm.tls.mode, tuple(found))
            return *both, list(charm.available)
