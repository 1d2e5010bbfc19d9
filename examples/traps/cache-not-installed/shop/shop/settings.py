from shop.sound import *

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ.get("REDIS_DB_CONNECT_STRING", "redis://localhost:6379"),
    }
}
