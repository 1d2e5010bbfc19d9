from shop.sound import *

CSRF_TRUSTED_ORIGINS = ["https://shop.example.com"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "http")
