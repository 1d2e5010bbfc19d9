from django.db import connection
from django.shortcuts import render

from .models import Room


async def index(request):
    items = [room async for room in Room.objects.all()]
    return render(request, "rooms/index.html", {"items": items, "vendor": connection.vendor})
