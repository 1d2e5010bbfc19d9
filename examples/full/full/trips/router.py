"""Which of the two SQL databases a model lives in."""

IN_MYSQL = frozenset(("reading",))
"""Names of the models whose tables are in MySQL; all others are in PostgreSQL."""


class Router:
    """Django's database router: by the model's name."""

    def db_for_read(self, model, **hints):
        return "mysql" if model._meta.model_name in IN_MYSQL else "default"

    def db_for_write(self, model, **hints):
        return self.db_for_read(model)

    def allow_relation(self, one, other, **hints):
        return self.db_for_read(one) == self.db_for_read(other)

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return (db == "mysql") == (app_label == "trips" and model_name in IN_MYSQL)
