"""Runs the checks on the application's own database: its user may create no other, as in production."""

from django.test.runner import DiscoverRunner


class InPlace(DiscoverRunner):
    """Every check empties the tables behind it."""

    def setup_databases(self, **_kwargs):
        return []

    def teardown_databases(self, old_config, **_kwargs):
        pass
