"""Runs under charmcraft's own Python: expands documents as `charmcraft expand-extensions` does, many in one process.

Reads lines of JSON from stdin, `{"files": {path: text}, "experimental": bool}`, and answers each with a line: either
`{"document": ...}` or `{"error": "what charmcraft says first"}`.
"""

import json
import os
import pathlib
import sys
import tempfile
import warnings


def main():
    warnings.simplefilter("ignore")
    import charmcraft.application.main  # noqa: F401  (the package has a function of that name)
    import craft_cli

    application = sys.modules["charmcraft.application.main"]
    import craft_parts
    from charmcraft import services as charmcraft_services

    charmcraft_services.register_services()
    craft_cli.emit.init(craft_cli.EmitterMode.QUIET, "charmcraft", "comparison", log_filepath=pathlib.Path(os.devnull))
    here = pathlib.Path.cwd()

    def expand(directory):
        factory = charmcraft_services.ServiceFactory(app=application.APP_METADATA)
        factory.update_kwargs("project", project_dir=directory)
        application_ = application.Charmcraft(app=application.APP_METADATA, services=factory)
        application_.project_dir = directory
        craft_parts.plugins.unregister_all()
        craft_parts.plugins.register(application_._get_app_plugins())
        project = factory.get("project")
        project.configure(platform=None, build_for=None)
        return project.get().marshal()

    variable = "CHARMCRAFT_ENABLE_EXPERIMENTAL_EXTENSIONS"
    for line in sys.stdin:
        request = json.loads(line)
        os.environ.pop(variable, None)
        if request.get("experimental"):
            os.environ[variable] = "1"
        with tempfile.TemporaryDirectory() as temporary:
            for name, text in request["files"].items():
                path = pathlib.Path(temporary, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                if name.endswith("/"):
                    path.mkdir()
                else:
                    path.write_bytes(text.encode("utf-8", "surrogatepass"))
            os.chdir(temporary)
            try:
                answer = {"document": expand(pathlib.Path(temporary))}
            except Exception as error:  # charmcraft may fail in any way; each is a refusal
                details = getattr(error, "details", None) or ""
                answer = {"error": f"{type(error).__name__}: {error} {details}".strip()}
            finally:
                os.chdir(here)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
