"""What keeps data: two SQL databases, documents, a cache, files."""

import os
import secrets
import socket

import pymongo
from django.core.cache import cache, caches
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connections, transaction

from trips.models import Reading, Visit


def postgresql() -> str:
    """Write a row with JSON in it and find it by what is inside."""
    word = secrets.token_hex(8)
    with transaction.atomic():
        Visit.objects.create(facts={"word": word, "host": socket.gethostname()})
    found = Visit.objects.get(facts__word=word)
    with connections["default"].cursor() as cursor:
        cursor.execute("select current_user")
        (user,) = cursor.fetchone()
    return f"{Visit.objects.count()} visits, the last {found.pk}, as {user}"


def mysql() -> str:
    """Write a row and read it back, from the second database."""
    made = Reading.objects.create(value=secrets.randbelow(1000), unit=socket.gethostname())
    found = Reading.objects.get(pk=made.pk)
    if found.value != made.value:
        raise ValueError(f"wrote {made.value}, read {found.value}")
    with connections["mysql"].cursor() as cursor:
        cursor.execute("select version()" if connections["mysql"].vendor == "mysql" else "select sqlite_version()")
        (version,) = cursor.fetchone()
    return f"{Reading.objects.count()} readings, server {version}"


def mongodb() -> str:
    """Keep a document and find it."""
    word = secrets.token_hex(8)
    with pymongo.MongoClient(os.environ["MONGODB_DB_CONNECT_STRING"], serverSelectionTimeoutMS=5000) as client:
        documents = client[os.environ["MONGODB_DB_NAME"]]["documents"]
        documents.insert_one({"word": word, "tags": ["round", "trip"]})
        found = documents.find_one({"word": word}) or {}
        if found.get("tags") != ["round", "trip"]:
            raise ValueError(f"kept a document, found {found}")
        return f"{documents.count_documents({})} documents"


def redis() -> str:
    """Put a word into the cache and take it out; sessions are in it as well."""
    word = secrets.token_hex(8)
    cache.set(f"trip-{word}", word, 60)
    if cache.get(f"trip-{word}") != word:
        raise ValueError("the cache does not give back what it got")
    return f"cached {word}; {cache.incr('trips') if not cache.add('trips', 1, None) else 1} times"


def valkey() -> str:
    """Count in the second cache."""
    count = caches["valkey"]
    if count.add("trips", 1, None):
        return "1 times"
    return f"{count.incr('trips')} times"


def s3() -> str:
    """Write a file, read it, remove it."""
    word = secrets.token_hex(8)
    name = default_storage.save(f"trips/{word}.txt", ContentFile(word.encode()))
    try:
        with default_storage.open(name) as file:
            if file.read() != word.encode():
                raise ValueError(f"{name} is not what was written")
    finally:
        default_storage.delete(name)
    return f"{name} written, read and removed"
