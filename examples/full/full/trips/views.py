"""The page of all round trips, uploads to S3, and a count in the session."""

import mimetypes

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render

from trips.forms import UploadForm
from trips.models import Upload
from trips.roundtrips import TRIPS, run, run_all


def page(request: HttpRequest) -> HttpResponse:
    """Show what each round trip saw."""
    context = {"saw": run_all(), "uploads": Upload.objects.all()[:10], "form": UploadForm(), "people": _people(request)}
    return render(request, "trips/page.html", context)


def roundtrips(request: HttpRequest) -> HttpResponse:
    """Answer with what each round trip saw; 500 when one of them failed."""
    saw = run_all()
    document = {each.name: each._asdict() for each in saw}
    return JsonResponse(document, status=200 if all(each.good for each in saw) else 500)


def roundtrip(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with what one round trip saw."""
    if name not in TRIPS:
        raise Http404(f"no round trip {name}")
    saw = run(name)
    return JsonResponse(saw._asdict(), status=200 if saw.good else 500)


def upload(request: HttpRequest) -> HttpResponse:
    """Keep an uploaded file in S3."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        form.save()
        return redirect("trips:page")
    return render(request, "trips/upload.html", {"form": form}, status=400 if request.method == "POST" else 200)


def download(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a file out. By way of the application, for a browser may not reach the store."""
    found = get_object_or_404(Upload, pk=pk)
    kind, _ = mimetypes.guess_type(found.file.name)
    # What people upload is shown as a picture or saved, never run as a page of this site.
    shown = kind in ("image/png", "image/jpeg", "image/gif", "image/webp", "text/plain")
    return FileResponse(found.file.open(), as_attachment=not shown, content_type=kind or "application/octet-stream")


def count(request: HttpRequest) -> HttpResponse:
    """Count the visits of this session, which is in Redis."""
    request.session["count"] = request.session.get("count", 0) + 1
    return JsonResponse({"count": request.session["count"]})


def _people(request: HttpRequest) -> dict[str, str]:
    """Return who is logged in, by the way of logging in."""
    return {way: request.session.get(f"{way}-user", "") for way in ("saml", "oidc")}
