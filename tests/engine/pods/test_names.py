from nuages.engine.pods import names

OWN = {"10.77.0.3": ["db-0.db.svc", "db-0"], "10.77.0.4": ["web-0.svc", "web-0"]}


def test_what_pods_are_called_comes_first_and_nothing_twice():
    table = names.merged(OWN, {"10.77.0.3": ("db", "db-0"), "10.77.0.9": ("old",), "10.77.0.8": ()})
    assert table == {
        "10.77.0.3": ["db-0.db.svc", "db-0", "db"],
        "10.77.0.4": ["web-0.svc", "web-0"],
        "10.77.0.9": ["old"],
    }
    assert names.hosts(table).splitlines()[2:] == [
        "10.77.0.3\tdb-0.db.svc db-0 db",
        "10.77.0.4\tweb-0.svc web-0",
        "10.77.0.9\told",
    ]


def test_a_stale_name_does_not_lead_away_from_a_pod():
    table = names.merged(OWN, {"10.77.0.2": ("db-0", "db")})
    assert names.flat(table)["db-0"] == "10.77.0.3"
    assert names.flat(table)["db"] == "10.77.0.2"


def test_full_names_are_there_as_dns_knows_them_too():
    """mysql-k8s gives its endpoints with a dot at the end."""
    full = "db-primary.dev.svc.cluster.local"
    assert names.hosts({"10.77.0.3": [full, "db"]}).splitlines()[2:] == [f"10.77.0.3\t{full} {full}. db"]
